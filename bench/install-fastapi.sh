#!/bin/sh
# The peer in peers/fastapi_bus.py needs these packages of Debian; without them the bench leaves it out and says so.
set -eu
apt-get update
apt-get install -y python3-fastapi python3-uvicorn
