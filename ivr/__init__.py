"""Payment reminder by keypad: verify -> tell -> choose -> confirm -> report."""
