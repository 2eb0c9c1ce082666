"""Clients for calls side by side: no more than agreed, the warm one first, all closed at the end."""

import asyncio

import httpx
import pytest

from helpdesk.events.outcomes import RetryLater
from helpdesk.events.provider_calls import ProviderClients, get_json
from tests.fixtures.providers import PagerDutyServer


def test_no_more_at_once_than_agreed_and_the_others_in_the_order_they_came() -> None:
    async def together() -> tuple[int, list[int]]:
        busy, most = 0, 0
        done: list[int] = []

        async def work(number: int) -> None:
            nonlocal busy, most
            async with clients.one():
                busy += 1
                most = max(most, busy)
                await asyncio.sleep(0)
                done.append(number)
                busy -= 1

        async with ProviderClients(3) as clients:
            await asyncio.gather(*(work(number) for number in range(20)))
        return most, done

    assert asyncio.run(together()) == (3, list(range(20)))


def test_the_client_used_last_is_lent_first_and_all_are_closed() -> None:
    async def one_by_one() -> list[httpx.AsyncClient]:
        lent = []
        async with ProviderClients(8) as clients:
            for _ in range(3):
                async with clients.one() as client:
                    lent.append(client)
            async with clients.one() as first, clients.one() as second:
                lent += [first, second]
        return lent

    lent = asyncio.run(one_by_one())
    assert len(set(map(id, lent))) == 2, "made when needed, not before"
    assert all(client.is_closed for client in lent)


def test_a_call_that_fails_gives_its_client_back() -> None:
    async def fail_and_go_on() -> None:
        async with ProviderClients(1) as clients:
            with pytest.raises(ZeroDivisionError):
                async with clients.one():
                    raise ZeroDivisionError
            async with asyncio.timeout(5), clients.one():
                pass

    asyncio.run(fail_and_go_on())


def test_reading_is_repeatable_so_a_lost_answer_is_never_ambiguous(pagerduty_server: PagerDutyServer) -> None:
    pagerduty_server.cut_next(process=True)

    async def read() -> None:
        async with ProviderClients(1) as clients, clients.one() as client:
            await get_json(client, f"{pagerduty_server.url}/incidents", [("limit", "1")], {})

    with pytest.raises(RetryLater, match="no complete answer"):
        asyncio.run(read())


def test_an_answer_is_cut_off_where_we_said(pagerduty_server: PagerDutyServer) -> None:
    pagerduty_server.fail_next(200, b"x" * 5000)

    async def read() -> int:
        async with ProviderClients(1) as clients, clients.one() as client:
            return len((await get_json(client, f"{pagerduty_server.url}/incidents", [], {}, 1000)).body)

    assert asyncio.run(read()) == 1000
