"""What a floor asks for, carried out through ports: leading, placing, writing behind, the end of an attempt."""
