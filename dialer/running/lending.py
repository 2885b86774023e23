"""Carries out that agents go over to another campaign: signed out here for good before anybody may take them in there.

What is under way stands in the agent's record (`moves_to`), so whoever leads this campaign next finishes it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from dialer.desk import skills
from dialer.errors import NotLeader
from dialer.floor.actions import Action, SaveAgent
from dialer.law import schedule
from dialer.model import Agent, AgentState, Command, Status
from dialer.ports import Clock, Store
from dialer.running.run import Run
from dialer.running.tools import Tools

Perform = Callable[[Run, list[Action]], None]
Apply = Callable[[Run, Command], Awaitable[tuple[bool, str]]]


class Lending:
    """Of one engine, for all its runs."""

    def __init__(self, store: Store, clock: Clock, tools: Tools, perform: Perform, apply: Apply) -> None:
        self._store, self._clock, self._tools = store, clock, tools
        self._perform, self._apply = perform, apply
        self._looking: set[str] = set()

    def look(self, run: Run) -> None:
        """Once a second; does nothing where nobody goes and nobody waits in vain."""
        if run.campaign.id in self._looking or not (_under_way(run) or self._without_work(run)):
            return
        self._looking.add(run.campaign.id)
        self._tools.do(self._look(run))

    async def _look(self, run: Run) -> None:
        try:
            for agent in _under_way(run):
                await self._hand_on(run, agent)
            if self._without_work(run):
                await self._lend(run)
        except NotLeader:
            self._tools.dethroned(run)
        finally:
            self._looking.discard(run.campaign.id)

    def _without_work(self, run: Run) -> bool:
        """Nobody to be called, and no call that may still need an agent."""
        now, floor = self._clock.now(), run.floor
        idle = not run.due or run.status is not Status.RUNNING or bool(schedule.hold(run.pack, now))
        return (
            idle and not run.draining and not floor.attempts and bool(skills.waiting(floor.team.agents.values(), now))
        )

    async def _lend(self, run: Run) -> None:
        team, here = run.floor.team, run.campaign.id
        idle = [
            one for one in skills.waiting(team.agents.values(), self._clock.now()) if one.id not in run.floor.spared
        ]
        known = await self._store.skills([one.id for one in idle])
        names = sorted({name for some in known.values() for name in some} - {here})
        others = {name: skills.work_of(await self._store.published(name), self._clock.now()) for name in names}
        for agent_id, to in skills.moves(idle, known, here, others):
            if team.agents[agent_id].state is AgentState.IDLE:  # still
                _, _, actions = team.move(agent_id, to, self._clock.now())
                self._perform(run, actions)
                self._tools.say("goes over", "move", agent=agent_id, campaign=here, to=to)

    async def _hand_on(self, run: Run, agent: Agent) -> None:
        """Ask the other engine to take him in; he comes back where it does not."""
        here, since = run.campaign.id, agent.since
        await self._store.save_agents(here, run.token, [agent])  # now nobody can reserve him here
        wanted = Command(
            skills.move_id(agent), agent.moves_to, "sign_in", f"engine:{here}", since, since + skills.MOVE_S,
            {"agent": agent.id},
        )  # fmt: skip
        reply = await self._store.order(wanted)
        if run.floor.team.agents[agent.id] is not agent or (reply is None and self._clock.now() <= wanted.deadline):
            return
        run.floor.team.keep(stays := replace(agent, moves_to=""))
        self._perform(run, [SaveAgent(stays)])
        if reply is not None and reply[0]:
            return
        why = reply[1] if reply else "no engine answered"
        self._tools.say("was not taken in", "move", agent=agent.id, campaign=here, to=agent.moves_to, why=why)
        back = Command(
            f"{wanted.id}-back", here, "sign_in", "engine", since, self._clock.now() + 1.0, {"agent": agent.id}
        )
        await self._apply(run, back)


def _under_way(run: Run) -> list[Agent]:
    return [one for one in run.floor.team.agents.values() if one.moves_to and one.state is AgentState.SIGNED_OUT]
