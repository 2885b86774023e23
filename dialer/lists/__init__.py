"""Lists: columns, numbers, values, brought in chunk by chunk; the order of calling, and who comes up again."""
