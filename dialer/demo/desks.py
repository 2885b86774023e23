"""Who may sit down beside the robots: a supervisor and two agents, each with a log-in that serves once."""

import asyncio
from dataclasses import dataclass

from dialer.demo.folder import LOG_INS
from dialer.demo.world import World

DESKS = 2


@dataclass(frozen=True, slots=True)
class Seat:
    """One log-in. `password`: to be changed at the first sign-in."""

    name: str
    role: str
    extension: str
    password: str


@dataclass(frozen=True, slots=True)
class Door:
    """Where one signs in, and as whom."""

    address: str
    seats: tuple[Seat, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """For people, each short enough for a small terminal."""
        width = max(len(seat.name) for seat in self.seats)
        return (
            f"Sit down beside the robots: {self.address}",
            *(f"  {seat.name:<{width}}  {seat.password}  ({seat.role}, {seat.extension})" for seat in self.seats),
        )


async def invite(world: World, first_extension: int) -> Door:
    """Make the users by the product's own command, and keep their log-ins beside the logs."""
    people = [("supervisor", "supervisor", str(first_extension + DESKS))]
    people += [(f"agent{one}", "agent", str(one)) for one in range(first_extension, first_extension + DESKS)]
    seats = await asyncio.gather(*(_seat(world, *one) for one in people))
    door = Door(f"http://localhost:{world.http_port}/", tuple(seats))
    path = world.env_file.with_name(LOG_INS)
    path.touch(mode=0o600)
    path.write_text("\n".join(door.lines) + "\n")
    return door


async def _seat(world: World, name: str, role: str, extension: str) -> Seat:
    said = await world.command("user", "add", name, "--role", role, "--agent", extension)
    shown = next(line for line in said.splitlines() if line.startswith(f"{name}: "))
    return Seat(name, role, extension, shown.removeprefix(f"{name}: "))
