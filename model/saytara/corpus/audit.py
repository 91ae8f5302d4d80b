"""Whole files and folders of annotated reports brought to the checks, each finding under the file it stands in.

Finds nothing itself; that is `check`'s.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from saytara.corpus.build import split_reports
from saytara.corpus.check import Finding, check_corpus
from saytara.corpus.formats.own import find_files
from saytara.corpus.jsonl import check_corpus_file
from saytara.corpus.markup import check_markup_file
from saytara.corpus.texts import index_runs, shared_runs
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.inputs import read_texts
from saytara.schema import Schema


def audit(paths: Sequence[Path], schema: Schema) -> tuple[dict[str, list[Annotation]], list[Finding]]:
    """Read and check markup (``.txt``) and JSON Lines files, and those of folders.

    A JSON Lines file is a split of its own. All markup files together are one corpus, shared out to splits as
    `compile_reports` would, so that twins and leaks are judged by the split they would land in.

    Returns:
        The readable annotations by split, and the findings in the order of the files.
    """
    splits: dict[str, list[Annotation]] = {}
    homes: dict[str, str] = {}
    findings: list[Finding] = []
    sources: dict[str, Annotation] = {}
    for file in _files(paths, findings):
        read = check_corpus_file if file.suffix == ".jsonl" else check_markup_file
        annotations, problems = read(file, schema)
        findings += map(_finding, problems)
        if file.suffix == ".jsonl":
            splits[str(file)] = annotations
            continue
        for annotation in annotations:
            name = annotation.document.id
            if name in sources:
                where = f'{file}: document "{name}"'
                findings.append(Finding("error", where, f"the id is already used in {homes[name]}. Rename one."))
                continue
            sources[name], homes[name] = annotation, str(file)
    shared = _share_out(list(sources.values()), findings)
    splits.update(shared)
    for finding in check_corpus(splits, schema):
        findings.append(_placed(finding, shared, homes))
    return splits, findings


def check_against(splits: Mapping[str, Sequence[Annotation]], files: Sequence[Path], *, words: int) -> list[Finding]:
    """An error for each document that shares a run of so many words, folded, with a text of `files`."""
    rows = [(split, annotation.document) for split, annotations in splits.items() for annotation in annotations]
    owners = index_runs([document.text for _, document in rows], size=words) if files else {}
    findings = []
    for file in files:
        for index, runs in sorted(shared_runs(owners, read_texts(file), size=words).items()):
            split, document = rows[index]
            message = f'shares {len(runs)} runs of {words} words with {file}, such as "{min(runs)}". Write it anew.'
            findings.append(Finding("error", f'{split}: document "{document.id}"', message))
    return findings


def _files(paths: Iterable[Path], findings: list[Finding]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        try:
            files += find_files(path)
        except DataError as error:
            findings.append(_finding(error))
    return list(dict.fromkeys(files))


def _share_out(annotations: list[Annotation], findings: list[Finding]) -> dict[str, list[Annotation]]:
    """Markup documents by split; all in one where their headers contradict each other."""
    try:
        splits = split_reports(annotations)
    except DataError as error:
        findings.append(_finding(error))
        splits = {"all": annotations}
    return {split: found for split, found in splits.items() if found}


def _placed(finding: Finding, shared: Iterable[str], homes: dict[str, str]) -> Finding:
    """The finding under the markup file that its document stands in, instead of under its split."""
    split, quote, name = finding.where.partition(': document "')
    if not quote or split not in shared:
        return finding
    return replace(finding, where=f"{homes[name.removesuffix(chr(34))]}{quote}{name}")


def _finding(problem: DataError) -> Finding:
    where = problem.where or ""
    return Finding("error", where, str(problem).removeprefix(f"{where}: "))
