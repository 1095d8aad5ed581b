"""What is simulated: Gaussian mixture, generator, verifier, trained classifier; and how it compares."""
