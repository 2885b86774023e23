"""How the commands are called: names, options, help. What they do lies one folder up, loaded when it is called for."""
