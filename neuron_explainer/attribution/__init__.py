"""What every node of a run did to the objective, by definition and by intervention."""
