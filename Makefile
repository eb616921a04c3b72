# eegprune: `make demo` and `make test` do all their own set-up.
#
#   make demo [DATA=DIR]     the main job, on simulated recordings or those in DIR
#   make test                all tests that take seconds
#   make test-slow           the ones that take minutes
#   make test-reference      parity with PyTorch at other seeds and sizes, computed on the spot
#                            (needs a Python with torcheeg and fvcore)
#   make test-slurm          a study on a Slurm cluster of two nodes, started here (needs root,
#                            or slurm-wlm and munge)
#   make test-real EEG_DATA=DIR   on the real recordings in DIR
#   make test-mne [EEG_DATA=DIR] [INPUTS=DIR]     whether EDF, BDF and BrainVision files are read
#                            as MNE-Python reads them: random ones, and those in the directories
#                            (gets MNE into build/mne)
#   make test-torcheeg       whether clips, labels and numbers of simulated data sets are those that
#                            torcheeg's readers make of them (gets it, without torch, and MNE
#                            into build/torcheeg); SETS="seed dreamer" and such
#   make build               bin/eegprune and its shim
#   make wheel               build/wheel: a Python wheel with the program and a shim for each minor
#                            version of torch, CPU and CUDA (an hour and more at first, 5 GB of the
#                            user's cache); WHEEL="--versions 2.15.0 --kinds cpu" for a part
#   make test-wheel          the wheel in fresh environments with the oldest and newest torch; it
#                            downloads both, or takes PYTHONS="a Python with torch ..."
#   make test-start WHEEL=FILE     the commands of docs/start.md in an empty folder with the wheel (pip gets
#                            torch); test-wheel runs them too
#   make docs                build/site: the documentation as a site
#   make lint                formats and checks of Go, C++, Python and shell; gets its tools into build/lint
#   make test-tensorboard    whether TensorBoard reads what --tensorboard writes (gets it into
#                            build/tensorboard)
#   make test-export         whether PyTorch, onnx.checker and onnxruntime take what export
#                            writes (needs a Python with torch; gets the others into
#                            build/export)
#   make test-networks       whether braindecode's networks are read, trained and pruned as PyTorch
#                            computes them, and whether export_network.py finds what can't be
#                            exported (gets PyTorch, braindecode and torcheeg into build/networks;
#                            an hour at first); NETWORKS="--only EEGNet,TCN" and such
#   make test-page           the report's page and the site in headless Chromium (gets it where there is none)
#   make comparison EEGMAT=DIR    the comparison's tables and figures under docs/ (an hour)
#   make parity              the loss of every step beside PyTorch's, for three seeds at random
#                            (needs a Python with torch; PARITY="--seeds 1,2,3" and such)
#   make bench               steps, evaluation and k-fold training beside PyTorch, torch.compile and
#                            onnxruntime (needs a Python with torch, and onnx and onnxruntime for
#                            that; BENCH="--only steps --models fbccnn" and such)
#   make test-kernels        whether NVRTC compiles the GPU's kernels for each generation of GPUs, and what they
#                            take of it; needs no GPU (gets NVRTC into the user's cache)
#   make test-gpu bench-gpu  on a machine with a GPU: what a GPU must do, and speed beside
#                            PyTorch and torch.compile (both need a Python with torch)
#   make gpu-bundle          build/gpu: the same for a machine with a GPU, a driver and a Python
#                            with torch, and no Go, compiler or network: run.sh there does it
#   make bench-data          memory and time of features and of a study of 8, 16 and 32 subjects (on
#                            Linux; 5 GB of disk), then features and serving beside torcheeg (needs a
#                            Python with torcheeg); MEMORY="--subjects 8" and such

.PHONY: program wheel test-wheel test-start docs lint lint-slow comparison build shim libtorch demo test test-go test-shim test-slow test-slurm test-reference test-real test-mne test-torcheeg test-tensorboard test-export test-networks test-page parity test-kernels test-gpu bench bench-gpu gpu-bundle test-race-shim bench-data bench-growth vet clean clean-libtorch

BIN    := $(CURDIR)/bin
SHIM   := $(BIN)/libeegprune_torch.so
PYTHON ?= python3
GO     ?= go
COMMIT  := $(shell git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null)
# A tag's name, where this is one; else the program says the version that stands in its source.
VERSION := $(shell git describe --exact-match --tags --match 'v*' 2>/dev/null)

export EEGPRUNE_SHIM := $(SHIM)

# At once: the program's Go needs nothing of the shim, which waits for libtorch at first.
build:
	@$(MAKE) --no-print-directory -j 2 shim program

program:
	$(GO) build -buildvcs=false -ldflags "-X main.release=$(VERSION) -X main.revision=$(COMMIT)" -o $(BIN)/eegprune ./cmd/eegprune

# A shim that is there is built again where its sources changed.
wheel:
	$(GO) build -buildvcs=false -trimpath -ldflags "-s -w -X main.release=$(VERSION) -X main.revision=$(COMMIT)" -o build/wheel/eegprune ./cmd/eegprune
	@$(PYTHON) scripts/build_wheel.py --shims $(WHEEL) | xargs --no-run-if-empty scripts/build_wheel_shims.sh
	$(PYTHON) scripts/build_wheel.py $(WHEEL)

test-wheel:
	scripts/test_wheel.sh $$(ls -t build/wheel/*.whl | head -n 1) $(PYTHONS)

test-start:
	@test -f "$(WHEEL)" || { echo "test-start: name a wheel: make test-start WHEEL=FILE"; exit 2; }
	$(PYTHON) scripts/run_start.py --wheel $(WHEEL)

docs:
	@$(GO) run ./internal/site

shim: $(SHIM)

# The path of libtorch is asked for each time, so that a change of it rebuilds the shim.
$(SHIM): FORCE
	@scripts/build_shim.sh build/release $(BIN)
.PHONY: FORCE
FORCE:

libtorch:
	@$(PYTHON) scripts/get_libtorch.py

demo: build
	@scripts/demo.sh $(BIN)/eegprune $(DATA)

test: vet lint test-shim test-go

lint:
	@scripts/lint.sh

# Compiling golangci-lint takes minutes once.
lint-slow:
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

vet: $(SHIM)
	$(GO) vet ./...
	$(GO) vet -tags "gpu python real slow slurm" ./...

test-go: build
	$(GO) test -timeout 30m ./...

test-shim: $(SHIM)
	@scripts/googletest.sh
	@scripts/build_shim.sh build/asan - -DEP_SANITIZE=address
	ctest --test-dir build/asan --output-on-failure --no-tests=error

# What the shim's threads wait for is plain C++, all of which ThreadSanitizer sees, as it does the GPU's
# kernels; libtorch is not made for it.
test-race-shim: $(SHIM)
	@scripts/googletest.sh
	@TARGET=recording_test scripts/build_shim.sh build/tsan - -DEP_SANITIZE=thread
	build/tsan/recording_test
	@TARGET=gpu_kernels_test scripts/build_shim.sh build/tsan - -DEP_SANITIZE=thread
	build/tsan/gpu_kernels_test

# The shim with CUDA, which no test here can run; what runs side by side, under ThreadSanitizer
# and the race detector; then the runs of minutes.
test-slow: build test-race-shim test-kernels
	@scripts/build_cuda_shims.sh
	$(GO) test -race -timeout 30m ./torch ./train ./experiment ./data/...
	$(GO) test -race -tags slow -timeout 30m -run 'Jobs|Interrupted' ./cmd/...
	$(GO) test -tags slow -timeout 30m ./cmd/...
	$(GO) test -tags slow -run TenThousand -v -timeout 30m ./train
	$(MAKE) test-mne

test-torcheeg: program
	test -x build/torcheeg/bin/python || $(PYTHON) -m venv build/torcheeg
	build/torcheeg/bin/pip install --quiet numpy scipy pandas mne==1.13.2 xmltodict==1.0.4
	test -d build/torcheeg/torcheeg-1.1.3 || { build/torcheeg/bin/pip download --quiet --no-deps --no-binary :all: --dest build/torcheeg torcheeg==1.1.3 && tar -C build/torcheeg -xzf build/torcheeg/torcheeg-1.1.3.tar.gz; }
	build/torcheeg/bin/python scripts/check_torcheeg.py --eegprune $(BIN)/eegprune --torcheeg build/torcheeg/torcheeg-1.1.3/torcheeg $(SETS)

test-slurm: build
	$(GO) test -tags slurm -count=1 -run Slurm -v -timeout 30m ./cmd/...

# The tests hold libtorch to these instructions: see internal/reftest.
test-reference: export ATEN_CPU_CAPABILITY := avx2
test-reference: export ONEDNN_MAX_CPU_ISA := AVX2
test-reference: export MKL_CBWR := AVX2
test-reference: build
	@$(PYTHON) -c 'import torch, torcheeg, fvcore' || { echo "test-reference: needs torch, torcheeg and fvcore: make test-reference PYTHON=a Python that has them"; exit 2; }
	$(PYTHON) scripts/make_reference.py --out build/reference/a --seed 5 --in-channels 5 --classes 3 --electrodes 27
	$(PYTHON) scripts/make_reference.py --out build/reference/b --seed 9 --in-channels 3 --classes 4 --electrodes 62 --rate 200
	for d in a b; do EEGPRUNE_REFERENCE=$(CURDIR)/build/reference/$$d $(GO) test -count=1 -run Reference ./models ./prune || exit 1; done

test-real: build
	@test -n "$(EEG_DATA)" || { echo "test-real: name the directory that holds eegmat/ and eegmmidb/: make test-real EEG_DATA=DIR"; exit 2; }
	EEG_DATA=$(abspath $(EEG_DATA)) $(GO) test -tags real -run Real -timeout 30m ./...

# It needs pip and nothing else; three rounds of random files take half a minute.
test-mne: build build/mne/.made
	build/mne/bin/python scripts/check_mne.py --program $(BIN)/eegprune $(EEG_DATA) $(INPUTS)

build/mne/.made: scripts/mne_requirements.txt
	$(PYTHON) -m venv build/mne
	build/mne/bin/pip install --quiet -r $<
	touch $@

test-tensorboard: build build/tensorboard/.made
	build/tensorboard/bin/python scripts/check_tensorboard.py --program $(BIN)/eegprune

build/tensorboard/.made:
	$(PYTHON) -m venv build/tensorboard
	build/tensorboard/bin/pip install --quiet tensorboard
	touch $@

test-export: build build/export/.made
	EEGPRUNE_PYTHON=$(CURDIR)/build/export/bin/python $(GO) test -tags python -count=1 -timeout 30m -run "PyTorchReads|ComputeTheSame|EachKind|AsArchives" ./torch/ptfile ./models/export
	build/export/bin/python scripts/check_export.py --program $(BIN)/eegprune

# Networks that build/networks has are not exported again.
test-networks: VENV := $(CURDIR)/build/networks/venv
test-networks: build build/networks/venv/.made
	EEGPRUNE_PYTHON=$(VENV)/bin/python $(GO) test -tags python -count=1 -timeout 60m ./scripts
	$(VENV)/bin/python scripts/networks/export.py --out build/networks/22x1000 $(NETWORKS)
	$(VENV)/bin/python scripts/networks/check.py --program $(BIN)/eegprune --networks build/networks/22x1000 $(NETWORKS)

# braindecode imports torchaudio, which refuses a torch of another CUDA version, though nothing
# of either is used. torcheeg's own requirements are not needed by its networks.
build/networks/venv/.made: scripts/networks/requirements.txt
	$(PYTHON) -m venv build/networks/venv
	build/networks/venv/bin/pip install --quiet "torch==$$(sed -n "s/^__version__ = '\([0-9.]*\).*/\1/p" "$$($(PYTHON) scripts/get_libtorch.py)/version.py")" -r $<
	build/networks/venv/bin/pip install --quiet --no-deps torcheeg==1.1.3
	sed -i '/^ *_check_cuda_version()$$/d' "$$(build/networks/venv/bin/python -c 'import importlib.util as u; print(u.find_spec("torchaudio").submodule_search_locations[0])')/_extension/__init__.py"
	touch $@

test-page:
	@scripts/chromium.sh
	$(GO) test -tags slow -count=1 -run 'Chromium|Browser' ./report ./internal/site

# The torch of PYTHON is used, which need not be installed a second time.
build/export/.made:
	@$(PYTHON) -c 'import torch' || { echo "test-export: needs torch: make test-export PYTHON=a Python that has it"; exit 2; }
	$(PYTHON) -m venv build/export
	build/export/bin/pip install --quiet onnx onnxruntime
	$(PYTHON) -c 'import os, torch; print(os.path.dirname(os.path.dirname(torch.__file__)))' > "$$(build/export/bin/python -c 'import site; print(site.getsitepackages()[0])')/torch.pth"
	touch $@

# An hour on two cores.
comparison: build
	@scripts/comparison.sh $(BIN)/eegprune "$(EEGMAT)"

parity: build
	$(PYTHON) scripts/parity.py --program $(BIN)/eegprune $(PARITY)

bench: build
	$(PYTHON) scripts/bench_pytorch.py --program $(BIN)/eegprune --json build/bench.json $(BENCH)

test-kernels:
	$(PYTHON) scripts/compile_kernels.py

# What the bundle does, with the shim that was built here.
test-gpu: build gpu-bundle
	SHIM=$(BIN) CHECKS="doctor tests study memory parity" PYTHON=$(PYTHON) build/gpu/run.sh build

bench-gpu: build gpu-bundle
	SHIM=$(BIN) CHECKS=bench BENCH="$(BENCH)" PYTHON=$(PYTHON) build/gpu/run.sh build

gpu-bundle: export GO := $(GO)
gpu-bundle: export VERSION := $(VERSION)
gpu-bundle: export COMMIT := $(COMMIT)
gpu-bundle: build
	@scripts/gpu_bundle.sh

bench-data: build
	$(PYTHON) scripts/bench_memory.py --program $(BIN)/eegprune $(MEMORY)
	$(PYTHON) scripts/bench_data.py --program $(BIN)/eegprune

bench-growth: build
	$(PYTHON) scripts/bench_growth.py --program $(BIN)/eegprune --json build/growth.json $(GROWTH)

clean:
	rm -rf bin build eegprune-demo

clean-libtorch:
	rm -rf .libtorch build bin
