"""HTTP of the dialer: pages, the API, live updates; knows the core and its doors, never an adapter."""
