"""One account at a fake machine, which installs, pauses and removes as the commands do."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from ratectl.backends import BACKENDS
from ratectl.deploy import install as deploy
from ratectl.deploy import pause, targets, uninstall
from ratectl.deploy.install_lock import install_lock
from ratectl.journal.journal import Journal
from tests.fakes.machine import Machine, host, mac


class Office:
    """One account at one machine with one engine, which installs and removes as the commands do."""

    spec = Path("/home/tester/jobs.toml")

    def __init__(self, folder, engine="cron", **facts):
        on_a_mac = engine == "launchd"
        self.machine = Machine(booted=not on_a_mac, mac=on_a_mac, **facts)
        self.account = (mac if on_a_mac else host)(state_dir=folder)
        self.use(engine)

    def use(self, engine):
        self.site = targets.Target(
            backend=BACKENDS[engine], scope="user", host=self.account, reader=self.machine
        )

    @contextmanager
    def at_work(self):
        folder = self.account.state_dir
        with install_lock(folder) as lock, Journal(folder) as journal:
            yield lock, journal

    def install(self, *wanted, prune=False, digest="d1", keep_awake=False):
        return self.install_from(
            str(self.spec), *wanted, prune=prune, digest=digest, keep_awake=keep_awake
        )

    def install_from(self, path, *wanted, prune=False, digest="d1", keep_awake=False):
        source = deploy.SpecSource(jobs=wanted, path=path, digest=digest)
        with self.at_work() as (undertaking, journal):
            prepared = deploy.prepare(
                self.site,
                source,
                journal,
                prune=prune,
                rewrite_all=undertaking.interrupted,
                enable_linger=keep_awake,
            )
            if not prepared.empty or undertaking.interrupted:
                deploy.apply(
                    prepared,
                    journal,
                    undertaking,
                    perform=self.machine.perform,
                    clock=lambda: self.machine.now,
                )
        return prepared

    def plan(self, *wanted):
        """Return what an install would do."""
        source = deploy.SpecSource(jobs=wanted, path=str(self.spec), digest="d1")
        with Journal(self.account.state_dir) as journal:
            return deploy.prepare(self.site, source, journal)

    def remove(self, *names):
        with self.at_work() as (undertaking, journal):
            holds = targets.inspect_all(self.account, self.machine)
            removal = uninstall.prepare(holds, journal.installed(), names or None)
            uninstall.apply(
                removal, undertaking, perform=self.machine.perform, note=journal.forget_jobs
            )
        return removal

    def pause(self, *names):
        with self.at_work() as (undertaking, journal):
            holds = targets.inspect_all(self.account, self.machine)
            removal = pause.prepare(holds, journal.installed(), names)
            uninstall.apply(
                removal, undertaking, perform=self.machine.perform, note=journal.pause_jobs
            )

    def resume(self, *names, now=None):
        with self.at_work() as (undertaking, journal):
            rows = [row for row in journal.installed() if row.job.name in names]
            pause.resume(
                rows,
                journal,
                undertaking,
                self.account,
                self.machine,
                perform=self.machine.perform,
                clock=lambda: now or self.machine.now,
            )

    def held(self):
        return sorted(self.site.backend.inspect(self.machine, self.account, "user").entries)

    def known(self):
        with Journal(self.account.state_dir) as journal:
            return [row.job.name for row in journal.installed()]
