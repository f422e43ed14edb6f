"""The server, and the command line: one model, its REST interface and the viewer."""
