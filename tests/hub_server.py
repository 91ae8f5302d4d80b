"""A small Hugging Face Hub on the loopback, for the real client: repositories, large files, commits, downloads.

Speaks what `huggingface_hub` asks when it creates, uploads and downloads a model; keeps everything in memory.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_of_the_tests"
PART_BYTES = 100_000
"""Large files go up in parts of this size."""
LARGE = (".onnx", ".safetensors")


@dataclass
class Commit:
    """Files of a commit: path to content."""

    oid: str
    files: dict[str, bytes]


@dataclass
class Repository:
    commits: list[Commit] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes]) -> Commit:
        """A new commit of `main` that holds `files` as well."""
        merged = {**(self.commits[-1].files if self.commits else {}), **files}
        digest = hashlib.sha1(b"".join(path.encode() + content for path, content in sorted(merged.items())))
        digest.update(str(len(self.commits)).encode())
        made = Commit(digest.hexdigest(), merged)
        self.commits.append(made)
        self.refs["main"] = made.oid
        return made

    def find(self, revision: str) -> Commit | None:
        oid = self.refs.get(revision, revision)
        return next((commit for commit in self.commits if commit.oid == oid), None)


class HubServer(ThreadingHTTPServer):
    """The server with its repositories.

    `requests` lists what was asked, as ``GET /path``; paths in `cut_once` are sent by half at their first download.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.parts: dict[tuple[str, int], bytes] = {}
        self.requests: list[str] = []
        self.cut_once: set[str] = set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def storage(self) -> str:
        """Where large files lie: another host than the Hub itself, as on the real one."""
        return f"http://localhost:{self.server_address[1]}/storage"

    def asked(self, pattern: str) -> int:
        """How many requests match a pattern."""
        return sum(re.search(pattern, request) is not None for request in self.requests)


@contextmanager
def run_hub() -> Iterator[HubServer]:
    """A server for the length of a block."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._route("GET")

    def do_HEAD(self) -> None:
        self._route("HEAD")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def _route(self, method: str) -> None:
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        self.body = self._read_body()
        self.server.requests.append(f"{method} {url.path}")
        for verbs, pattern, action in ROUTES:
            match = re.fullmatch(pattern, url.path)
            if match and method in verbs:
                if method in ("POST", "PUT") and not url.path.startswith("/storage/") and not self._is_known():
                    return self._error(401, "", "Invalid credentials in Authorization header")
                return action(self, **{key: unquote(value) for key, value in match.groupdict().items()})
        return self._error(404, "", f"no route for {method} {url.path}")

    def _is_known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, status: int, body: bytes, headers: dict[str, str], *, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Connection": "close", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body[:length])

    def _json(self, values: Any, status: int = 200) -> None:
        self._send(status, json.dumps(values).encode(), {"Content-Type": "application/json"})

    def _error(self, status: int, code: str, message: str) -> None:
        self._send(status, json.dumps({"error": message}).encode(), {"X-Error-Code": code, "X-Error-Message": message})

    def _commit(self, repository: str, revision: str) -> Commit | None:
        """The commit that a request names; answers with the Hub's error where there is none."""
        found = self.server.repositories.get(repository)
        if found is None:
            self._error(404, "RepoNotFound", "Repository not found")
            return None
        commit = found.find(revision)
        if commit is None:
            self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    # -- upload --------------------------------------------------------------------------------------------------------

    def create(self) -> None:
        values = json.loads(self.body)
        name = f"{values.get('organization') or 'someone'}/{values['name']}"
        url = f"{self.server.endpoint}/{name}"
        if name in self.server.repositories:
            return self._json({"error": "You already created this model repo", "url": url}, 409)
        self.server.repositories[name] = Repository()
        return self._json({"url": url, "name": name, "id": name})

    def preupload(self, repository: str, revision: str) -> None:
        files = json.loads(self.body)["files"]
        if any(not {"path", "sample", "size"} <= file.keys() for file in files):
            return self._error(400, "", "malformed files")
        modes = ["lfs" if file["path"].endswith(LARGE) else "regular" for file in files]
        answer = [
            {"path": f["path"], "uploadMode": mode, "shouldIgnore": False} for f, mode in zip(files, modes, strict=True)
        ]
        return self._json({"files": answer})

    def validate_card(self) -> None:
        content = json.loads(self.body)["content"]
        if not content.startswith("---\n"):
            return self._json({"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]})
        return self._json({"errors": [], "warnings": []})

    def large_batch(self, repository: str) -> None:
        values = json.loads(self.body)
        if values["operation"] != "upload" or values["hash_algo"] != "sha256":
            return self._error(400, "", "only uploads by sha256")
        objects = []
        for item in values["objects"]:
            answer = {"oid": item["oid"], "size": item["size"]}
            if item["oid"] not in self.server.blobs:
                base = f"{self.server.storage}/{item['oid']}"
                if item["size"] > PART_BYTES:
                    parts = -(-item["size"] // PART_BYTES)
                    header = {str(part): f"{base}/{part}" for part in range(1, parts + 1)}
                    upload = {"href": f"{base}/complete", "header": {"chunk_size": str(PART_BYTES), **header}}
                else:
                    upload = {"href": base}
                answer["actions"] = {"upload": upload, "verify": {"href": f"{self.server.endpoint}/api/verify"}}
            objects.append(answer)
        return self._json({"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            return self._error(400, "", "the content has another sha256")
        self.server.blobs[oid] = self.body
        return self._send(200, b"", {})

    def store_part(self, oid: str, part: str) -> None:
        self.server.parts[oid, int(part)] = self.body
        return self._send(200, b"", {"ETag": f'"{hashlib.md5(self.body).hexdigest()}"'})

    def complete(self, oid: str) -> None:
        content = b""
        for part in json.loads(self.body)["parts"]:
            piece = self.server.parts.pop((oid, part["partNumber"]))
            if part["etag"].strip('"') != hashlib.md5(piece).hexdigest():
                return self._error(400, "", "a part has another etag")
            content += piece
        self.body = content
        return self.store(oid)

    def verify(self) -> None:
        values = json.loads(self.body)
        blob = self.server.blobs.get(values["oid"])
        if blob is None or len(blob) != values["size"]:
            return self._error(404, "", "the object is not there")
        return self._json({})

    def commit(self, repository: str, revision: str) -> None:
        found = self.server.repositories.get(repository)
        if found is None:
            return self._error(404, "RepoNotFound", "Repository not found")
        files = {}
        for line in self.body.splitlines():
            item = json.loads(line)
            key, value = item["key"], item["value"]
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                if value["oid"] not in self.server.blobs:
                    return self._error(400, "", f"LFS pointer to an object that was not uploaded: {value['path']}")
                files[value["path"]] = self.server.blobs[value["oid"]]
            elif key != "header":
                return self._error(400, "", f"unknown operation {key}")
        made = found.commit(files)
        return self._json(
            {
                "success": True,
                "commitOid": made.oid,
                "commitUrl": f"{self.server.endpoint}/{repository}/commit/{made.oid}",
                "hookOutput": "",
            }
        )

    # -- download ------------------------------------------------------------------------------------------------------

    def info(self, repository: str, revision: str = "main") -> None:
        commit = self._commit(repository, revision)
        if commit:
            files = [{"rfilename": path} for path in sorted(commit.files)]
            self._json({"_id": "0", "id": repository, "modelId": repository, "sha": commit.oid, "siblings": files})

    def tree(self, repository: str, revision: str) -> None:
        commit = self._commit(repository, revision)
        if commit:
            self._json([self._entry(path, content) for path, content in sorted(commit.files.items())])

    def _entry(self, path: str, content: bytes) -> dict[str, Any]:
        entry = {"type": "file", "path": path, "size": len(content), "oid": blob_id(content)}
        if path.endswith(LARGE):
            entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return entry

    def resolve(self, repository: str, revision: str, path: str) -> None:
        commit = self._commit(repository, revision)
        if commit is None:
            return None
        headers = {"X-Repo-Commit": commit.oid}
        content = commit.files.get(path)
        if content is None:
            return self._send(404, b"", {**headers, "X-Error-Code": "EntryNotFound"})
        if path.endswith(LARGE):
            oid = hashlib.sha256(content).hexdigest()
            self.server.blobs[oid] = content
            headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(content))}
            return self._send(302, b"", {**headers, "Location": f"{self.server.storage}/{oid}?path={path}"})
        return self._content(content, {**headers, "ETag": f'"{blob_id(content)}"'}, path)

    def stored(self, oid: str) -> None:
        return self._content(self.server.blobs[oid], {"ETag": f'"{oid}"'}, self.query["path"][0])

    def _content(self, content: bytes, headers: dict[str, str], path: str) -> None:
        headers["Accept-Ranges"] = "bytes"
        first = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if first:
            start = int(first[1])
            self.server.requests.append(f"RANGE {path} {start}")
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            return self._send(206, content[start:], headers)
        length = None
        if self.command == "GET" and path in self.server.cut_once:
            self.server.cut_once.remove(path)
            length = len(content) // 2
        return self._send(200, content, headers, length=length)


def blob_id(content: bytes) -> str:
    """Git's id of a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


_REPOSITORY = r"(?P<repository>[^/]+/[^/]+)"
_REVISION = r"(?P<revision>[^/]+)"
ROUTES: list[tuple[tuple[str, ...], str, Any]] = [
    (("POST",), "/api/repos/create", Handler.create),
    (("POST",), "/api/validate-yaml", Handler.validate_card),
    (("POST",), "/api/verify", Handler.verify),
    (("POST",), f"/api/models/{_REPOSITORY}/preupload/{_REVISION}", Handler.preupload),
    (("POST",), f"/api/models/{_REPOSITORY}/commit/{_REVISION}", Handler.commit),
    (("POST",), rf"/{_REPOSITORY}\.git/info/lfs/objects/batch", Handler.large_batch),
    (("PUT",), "/storage/(?P<oid>[0-9a-f]{64})", Handler.store),
    (("PUT",), r"/storage/(?P<oid>[0-9a-f]{64})/(?P<part>\d+)", Handler.store_part),
    (("POST",), "/storage/(?P<oid>[0-9a-f]{64})/complete", Handler.complete),
    (("GET", "HEAD"), "/storage/(?P<oid>[0-9a-f]{64})", Handler.stored),
    (("GET",), f"/api/models/{_REPOSITORY}", Handler.info),
    (("GET",), f"/api/models/{_REPOSITORY}/revision/{_REVISION}", Handler.info),
    (("GET",), f"/api/models/{_REPOSITORY}/tree/{_REVISION}", Handler.tree),
    (("GET", "HEAD"), f"/{_REPOSITORY}/resolve/{_REVISION}/(?P<path>.+)", Handler.resolve),
]
