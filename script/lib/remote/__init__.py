"""What `script/bench connectors` is made of: servers, remote workers, and one file per thing that is measured."""
