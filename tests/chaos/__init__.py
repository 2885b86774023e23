"""`./run chaos`: the demo's campaign while a seeded hand breaks things, and the books checked afterwards."""
