"""The model: its forward pass, what can be edited and asked of it, and where its weights come from."""
