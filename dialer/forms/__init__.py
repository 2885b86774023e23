"""Settings that people write: read with every fault at once, said in their language, each version kept."""
