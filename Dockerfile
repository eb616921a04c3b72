# eegprune with CUDA: docker build -t eegprune . && docker run --rm --gpus all -v "$PWD:/data" eegprune doctor
#
# The image has torch's own CUDA libraries; the host needs an NVIDIA driver and the NVIDIA
# Container Toolkit.
FROM golang:1.26-bookworm AS build
# The compiler need not be a certain one: the wheel's tag follows from what it gives.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends cmake g++ python3 python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make wheel WHEEL="--versions 2.15.0 --kinds cuda,cpu"

FROM python:3.13-slim-bookworm
COPY --from=build /src/build/wheel/*.whl /tmp/
RUN pip install --no-cache-dir "torch==2.15.*" "numpy==2.*" /tmp/*.whl && rm /tmp/*.whl
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN useradd --uid 1000 --create-home lab
USER 1000
WORKDIR /data
ENTRYPOINT ["eegprune"]
CMD ["--help"]
