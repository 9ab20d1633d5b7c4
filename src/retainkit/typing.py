"""Types for the annotations of programs that call retainkit."""
