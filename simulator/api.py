"""The endpoints of the Jobs API and its neighbours: what each accepts and what it answers."""

from collections.abc import Callable, Mapping, Sequence

from simulator import query, wire
from simulator.paging import Page, PageTokens
from simulator.query import ApiError, Kind, Parameters, invalid, missing
from simulator.selection import page_of_runs, selection
from simulator.warehouse.power import Power
from simulator.world import World

MOST_RUNS = 25
MOST_JOBS = 100
USUAL = 20
MOST_RUN_OFFSET = 10_000
MOST_JOB_OFFSET = 1_000
ONE_WAREHOUSE = "/api/2.0/sql/warehouses/"

RUNS_LIST: Mapping[str, Kind] = {
    "active_only": query.flag,
    "completed_only": query.flag,
    "expand_tasks": query.flag,
    "job_id": query.integer,
    "limit": query.integer,
    "offset": query.integer,
    "page_token": query.text,
    "run_type": query.word("JOB_RUN", "WORKFLOW_RUN", "SUBMIT_RUN"),
    "start_time_from": query.integer,
    "start_time_to": query.integer,
}
RUNS_GET: Mapping[str, Kind] = {
    "run_id": query.integer,
    "include_history": query.flag,
    "include_resolved_values": query.flag,
    "page_token": query.text,
}
JOBS_LIST: Mapping[str, Kind] = {
    "limit": query.integer,
    "expand_tasks": query.flag,
    "name": query.text,
    "page_token": query.text,
    "offset": query.integer,
}
JOBS_GET: Mapping[str, Kind] = {
    "job_id": query.integer,
    "include_trigger_state": query.flag,
    "page_token": query.text,
}
WAREHOUSES: Mapping[str, Kind] = {
    "run_as_user_id": query.integer,
    "page_size": query.integer,
    "page_token": query.text,
}


WAREHOUSE_ID = "0a1b2c3d4e5f6071"

Endpoint = tuple[Callable[[Parameters], str], Mapping[str, Kind]]
"""What answers, and the parameters it accepts."""


class Api:
    """Answers requests from the world as it is; the caller has advanced it."""

    def __init__(
        self,
        world: World,
        tokens: PageTokens,
        *,
        url: str,
        workspace_id: str,
        hidden_states: frozenset[str],
        power: Power,
    ) -> None:
        self.world = world
        self.tokens = tokens
        self.page_url = f"{url}/?o={workspace_id}"
        self.host = url.partition("://")[2]
        self.hidden_states = hidden_states
        self.power = power
        self._endpoints: Mapping[str, Endpoint] = {
            "/api/2.2/jobs/runs/list": (self._runs_list, RUNS_LIST),
            "/api/2.2/jobs/runs/get": (self._runs_get, RUNS_GET),
            "/api/2.2/jobs/list": (self._jobs_list, JOBS_LIST),
            "/api/2.2/jobs/get": (self._jobs_get, JOBS_GET),
            "/api/2.0/sql/warehouses": (self._warehouses, WAREHOUSES),
            "/api/2.0/preview/scim/v2/Me": (self._me, {}),
        }

    def answer(self, path: str, raw_query: str) -> str | None:
        """The body of the answer; None when there is no such endpoint. Refusals are an ApiError."""
        if path.startswith(ONE_WAREHOUSE):
            return self._warehouse(path, query.parameters(raw_query, {}))
        if path not in self._endpoints:
            return None
        endpoint, kinds = self._endpoints[path]
        return endpoint(query.parameters(raw_query, kinds))

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _runs_list(self, parameters: Parameters) -> str:
        wanted = selection(parameters, self.hidden_states)
        page = self._page("runs/list", parameters, least=0, most=MOST_RUNS, furthest=MOST_RUN_OFFSET)
        runs, total = page_of_runs(self.world, wanted, page)
        render = wire.expanded_run if parameters.flag("expand_tasks") else wire.listed_run
        items = [render(run, self.world.now_ms, self.page_url) for run in runs]
        return _object([*_items("runs", items), *self._neighbours("runs/list", parameters, page, total)])

    def _runs_get(self, parameters: Parameters) -> str:
        run_id = parameters.needed("run_id")
        run = self.world.runs.get(run_id)
        if run is None or not self.world.retained(run):
            raise missing("Run", run_id)
        with_history = parameters.flag("include_history")
        arrays = wire.run_arrays(run, self.world.now_ms, with_history=with_history)
        part, after = self._array_page("runs/get", parameters, arrays)
        return wire.text(wire.run_fields(run, self.world.now_ms, self.page_url) | part | after)

    # ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _jobs_list(self, parameters: Parameters) -> str:
        page = self._page("jobs/list", parameters, least=1, most=MOST_JOBS, furthest=MOST_JOB_OFFSET)
        keys = self.world.listed.keys
        if name := parameters.text("name").casefold():
            keys = [key for key in keys if self.world.jobs[key[1]].name.casefold() == name]
        end = max(0, len(keys) - page.offset)
        jobs = [self.world.jobs[job_id] for _, job_id in reversed(keys[max(0, end - page.limit) : end])]
        expand = parameters.flag("expand_tasks")
        items = [wire.text(wire.listed_job(job, expand=expand)) for job in jobs]
        return _object([*_items("jobs", items), *self._neighbours("jobs/list", parameters, page, len(keys))])

    def _jobs_get(self, parameters: Parameters) -> str:
        job_id = parameters.needed("job_id")
        job = self.world.jobs.get(job_id)
        if job is None or job.deleted:
            raise missing("Job", job_id)
        part, after = self._array_page("jobs/get", parameters, wire.job_arrays(job))
        return wire.text(wire.one_job(job, part) | after)

    # ── neighbours ───────────────────────────────────────────────────────────────────────────────────────────────

    def _me(self, _: Parameters) -> str:
        return wire.text({"id": "1001", "userName": "simulated@example.com", "active": True})

    def _warehouses(self, parameters: Parameters) -> str:
        parameters.within("page_size", 1, MOST_JOBS, MOST_JOBS)
        if parameters.text("page_token"):
            raise invalid("Invalid page token.")
        return wire.text({} if self.power.deleted else {"warehouses": [self._warehouse_fields()]})

    def _warehouse(self, path: str, _: Parameters) -> str:
        ident = path.removeprefix(ONE_WAREHOUSE)
        if ident != WAREHOUSE_ID or self.power.deleted:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"SQL warehouse {ident} does not exist.")
        return wire.text(self._warehouse_fields())

    def _warehouse_fields(self) -> wire.Json:
        """The one warehouse; looking at it does not start it."""
        state = self.power.state(self.world.now_ms)
        return {
            "id": WAREHOUSE_ID,
            "name": "simulated",
            "state": state,
            "cluster_size": "2X-Small",
            "auto_stop_mins": self.power.auto_stop_minutes,
            "min_num_clusters": 1,
            "max_num_clusters": 1,
            "num_clusters": int(state == "RUNNING"),
            "enable_serverless_compute": True,
            "warehouse_type": "PRO",
            "odbc_params": {
                "hostname": self.host,
                "path": f"/sql/1.0/warehouses/{WAREHOUSE_ID}",
                "protocol": "https",
                "port": 443,
            },
        }

    # ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, endpoint: str, parameters: Parameters, *, least: int, most: int, furthest: int) -> Page:
        """The page of a list that is asked for; a limit of 0, where it is allowed, is the most."""
        limit = parameters.within("limit", least, most, USUAL) or most
        offset = parameters.within("offset", 0, furthest, 0)
        if token := parameters.text("page_token"):
            offset = self.tokens.offset(endpoint, parameters.values, token)
        return Page(offset, limit)

    def _neighbours(self, endpoint: str, parameters: Parameters, page: Page, total: int) -> list[str]:
        """The tokens of the pages beside this one, as members of a JSON object."""
        return [
            f'"{name}":"{self.tokens.token(endpoint, parameters.values, offset)}"'
            for name, offset in page.neighbours(total).items()
        ]

    def _array_page(
        self, endpoint: str, parameters: Parameters, arrays: Mapping[str, Sequence[wire.Json]]
    ) -> tuple[dict[str, Sequence[wire.Json]], dict[str, str]]:
        """The page of all the arrays together, and the token of the next if any of them goes on."""
        start = 0
        if token := parameters.text("page_token"):
            start = self.tokens.offset(endpoint, parameters.values, token)
        end = start + wire.ARRAY_PAGE
        part = {name: array[start:end] for name, array in arrays.items() if array[start:end]}
        if not any(len(array) > end for array in arrays.values()):
            return part, {}
        return part, {"next_page_token": self.tokens.token(endpoint, parameters.values, end)}


def _items(name: str, items: Sequence[str]) -> list[str]:
    """The list as a member of a JSON object; without items there is no such member."""
    return [f'"{name}":[{",".join(items)}]'] if items else []


def _object(members: Sequence[str]) -> str:
    return "{" + ",".join(members) + "}"
