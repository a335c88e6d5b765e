"""What does the work: SageMaker in production, a simulation for everything else. `base` is the port."""
