"""A function of your own at an HTTP address, told what to do by signed requests."""
