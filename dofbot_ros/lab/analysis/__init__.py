"""NetworkAnalyzer: what the layers of a trained network do, and which of its inputs drive which of its outputs."""
