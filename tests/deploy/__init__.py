"""What connectors are installed with: checked as far as that can be done without the clouds."""
