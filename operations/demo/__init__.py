"""The demonstration: organisers of concerts whose visitors wear wristbands."""
