"""A minimal bus of the same routes, as people write it first: FastAPI and sqlite3, a connection for each request."""

import socket
import sqlite3
import sys
import time

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

path = sys.argv[1]
app = FastAPI()


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


class Message(BaseModel):
    topic: str
    sender: str
    body: str
    action_flag: bool = False


class Claim(BaseModel):
    owner: str
    lease_s: int = 300


@app.post("/api/bus/message")
def post_message(message: Message):
    connection = connect()
    now = time.time()
    cursor = connection.execute(
        "INSERT INTO messages (topic, sender, body, action_flag, ts) VALUES (?, ?, ?, ?, ?)",
        (message.topic, message.sender, message.body, message.action_flag, now),
    )
    connection.commit()
    connection.close()
    return {"id": cursor.lastrowid, **message.dict(), "ts": now}


@app.get("/api/bus/messages")
def read_messages(topic: str | None = None, limit: int = 50):
    connection = connect()
    rows = connection.execute("SELECT * FROM messages ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
    connection.close()
    return {"messages": [dict(zip(("id", "topic", "sender", "body", "action_flag", "ts"), row)) for row in rows]}


@app.post("/api/bus/lanes/{lane}/claim")
def claim_lane(lane: str, claim: Claim):
    connection = connect()
    now = time.time()
    connection.execute("BEGIN IMMEDIATE")
    row = connection.execute("SELECT owner, expires_at FROM lanes WHERE lane = ?", (lane,)).fetchone()
    if row and row[0] != claim.owner and row[1] > now:
        connection.rollback()
        connection.close()
        raise HTTPException(409, f"lane '{lane}' held by '{row[0]}'")
    connection.execute("INSERT OR REPLACE INTO lanes VALUES (?, ?, ?)", (lane, claim.owner, now + claim.lease_s))
    connection.commit()
    connection.close()
    return {"ok": True, "decision": "claim", "lane": {"lane": lane, "owner": claim.owner}}


@app.get("/api/bus/status")
def get_status():
    connection = connect()
    lanes = connection.execute("SELECT * FROM lanes WHERE expires_at > ?", (time.time(),)).fetchall()
    recent = connection.execute("SELECT * FROM messages ORDER BY id DESC LIMIT 20").fetchall()
    connection.close()
    return {"active_lanes": lanes, "recent_messages": recent}


if __name__ == "__main__":
    setup = connect()
    setup.executescript(
        """CREATE TABLE messages (id INTEGER PRIMARY KEY, topic TEXT, sender TEXT, body TEXT, action_flag INT, ts REAL);
        CREATE TABLE lanes (lane TEXT PRIMARY KEY, owner TEXT, expires_at REAL);"""
    )
    setup.close()
    # With its protocol named, asyncio switches Nagle off; otherwise every answer would wait 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
