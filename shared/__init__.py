"""What all services of Concentric have in common: domain, policy, storage, bus, runtime."""
