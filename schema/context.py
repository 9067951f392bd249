"""What resolvers know of their request: who sends it, its id, and the loaders that live as long as it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader

from audit import Actor, Request
from models import current
from schema.access import Need


class Loaders:
    """Batched reads of one request. Each loader gets the keys of all parents at once."""

    def __init__(self) -> None:
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}

    def load(
        self, name: Hashable, fetch: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]], key: Hashable
    ) -> Awaitable[Any]:
        """The value that `fetch` (keys → values, in order) has for `key`. `name` is the loader's identity.

        RuntimeError inside a write transaction: what is read there could be rolled back and stay cached.
        """
        loader = self._loaders.get(name)
        if loader is None:
            if current().transaction_active():
                raise RuntimeError("loaders do not run inside a write transaction")
            loader = self._loaders[name] = DataLoader(load_fn=_listed(fetch))
        return loader.load(key)

    def loaded(self, name: Hashable, key: Hashable) -> asyncio.Future[Any] | None:
        """The finished read of `key` by this loader, successful or not; None when there is none yet."""
        loader = self._loaders.get(name)
        future: asyncio.Future[Any] | None = loader.cache_map.get(key) if loader is not None else None
        return future if future is not None and future.done() and not future.cancelled() else None

    def clear(self) -> None:
        """Forget what was read: a mutation has changed it."""
        self._loaders.clear()


def _listed(fetch: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]) -> Callable[[list[Any]], Awaitable[list[Any]]]:
    async def load(keys: list[Any]) -> list[Any]:
        return list(await fetch(keys))

    return load


@dataclass
class Context:
    """One request. `actor` is None for somebody not signed in; `refused` says that a token came and was no good.

    `upload` says that a file comes with it, of which a part may be still on its way while the operation runs.
    `reports_cost` says that the answer is to tell what the operation could cost.
    `in_cookie` says that a browser is to keep a new session's token in a cookie. `cookie` is the token it has there,
    be it the sender's or not; `new_cookie` what it is to have from now on: "" for nothing any more, None for the same.
    `told_by` tells this request from others with its `idempotency_key`: repeats have it in common.
    `last_event_id` is the cursor after which a feed that broke off goes on, and `cursor` how far a feed has come.
    `follows` is called when the operation turns out to be a subscription, which has no end; `following` is set then.
    `needs` are those of all fields of the operation: who follows something is asked for them again and again.
    `admitted` is called when the operation is known to be valid and allowed, before it runs.
    `mutated` says that a mutation of this request is over: who may do what may have changed with it.
    """

    request: Request
    actor: Actor | None = None
    session_id: str | None = None
    refused: bool = False
    token: str | None = None
    in_cookie: bool = False
    cookie: str | None = None
    new_cookie: str | None = None
    upload: bool = False
    mutated: bool = False
    idempotency_key: str | None = None
    told_by: str = ""
    reports_cost: bool = False
    last_event_id: str | None = None
    cursor: str | None = None
    follows: Callable[[], None] | None = None
    admitted: Callable[[], None] | None = None
    following: asyncio.Event = field(default_factory=asyncio.Event)
    needs: Sequence[Need] = ()
    loaders: Loaders = field(default_factory=Loaders)

    @property
    def grantee_id(self) -> str | None:
        """By what the sender is known in addresses of downloads: a session ends, a user stays."""
        return self.session_id or (self.actor.id if self.actor is not None else None)


Info = strawberry.Info[Context, None]
