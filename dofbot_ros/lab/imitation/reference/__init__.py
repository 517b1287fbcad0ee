"""The reference method: soft actor-critic, as the first system of this kind learned."""
