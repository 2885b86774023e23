"""The API's resources over HTTP."""
