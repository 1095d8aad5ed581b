"""The ground that sweeps and experiments stand on: configuration files, files, the machine, progress, text."""
