from __future__ import annotations

import json
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from jobs.at_terminal import JobCommand
from jobs.models import Job
from sync import services
from sync.in_words import plan_lines, progress_line, result_lines, rules_table
from sync.management.naming import reading, rule_called
from sync.models import Item, Rule, Run
from sync.run_documents import item_document, run_document

_NONE: Final = "No rule yet: ./run manage syncrule add < rule.json"


class Command(JobCommand):
    help = (
        "Carry out a rule of image sync here and now, and say what became of each tag; without a rule, list them."
        " Ends with 0 when all is well, 1 when something failed or is not done yet, 2 when nothing could be begun."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rule", nargs="?", help="its name; without one, all are listed")
        parser.add_argument("--plan", action="store_true", help="only say what it would do, and why")
        parser.add_argument("--deep", action="store_true", help="read what is there already, each byte of it")
        parser.add_argument("--json", action="store_true", help="say it as one object")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rule"] is None:
            self._list()
            return
        rule = rule_called(options["rule"])
        with reading(rule):
            run, job, was_left = self._see_through(rule, only_plan=options["plan"], is_deep=options["deep"])
        if options["json"]:
            items = [item_document(item) for item in run.items.in_order()]
            self.stdout.write(json.dumps({**run_document(run), "items": items}, indent=2))
        elif job.state == Job.State.DONE or run.items.exists():
            for line in plan_lines(run) if options["plan"] else result_lines(run):
                self.stdout.write(line)
        self._end(run, job, was_left=was_left, only_plan=options["plan"])

    def _list(self) -> None:
        for line in rules_table(Rule.objects.select_related("source", "target").by_name()) or [_NONE]:
            self.stdout.write(line)

    def _see_through(self, rule: Rule, *, only_plan: bool, is_deep: bool) -> tuple[Run, Job, bool]:
        """The run, the job that it ended with, and whether somebody wanted us to stop."""
        run, job = services.begin(rule, only_plan=only_plan, here=True, is_deep=is_deep)
        was_left = self.see_through(job, progress_line)
        run.refresh_from_db()
        if not only_plan and not was_left and job.state == Job.State.DONE and run.state == Run.State.PLANNED:
            # It was somebody else's, who only wanted the plan.
            job = services.carry_on(run, here=True)
            was_left = self.see_through(job, progress_line)
        return Run.objects.select_related("rule", "source", "target").get(pk=run.pk), job, was_left

    def _end(self, run: Run, job: Job, *, was_left: bool, only_plan: bool) -> None:
        """How it ended, on the standard error: what is on the other is for machines."""
        said = run.message or job.message
        self.check_end(job, said, was_left=was_left)
        self.check_question(job, f"Answer on the page of job {job.pk}.")
        failed = run.items.filter(state__in=[Item.State.FAILED, Item.State.PARKED]).exists()
        is_done = job.state == Job.State.DONE and (only_plan or run.state == Run.State.DONE)
        if failed or run.problems or not is_done:
            raise CommandError(said, returncode=1)
        self.say(said)
