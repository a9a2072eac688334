"""Value, maths, string, collection and control-flow nodes."""
