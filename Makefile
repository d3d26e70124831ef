# make demo    set up, build, read a patrol drive, show reads, hits and receipts
# make test    set up and run every test
# make package the Debian packages, in target/package
# make test-long   the tests that take minutes
# make bench   the figures in the README
# make train   train detector and reader from nothing (hours; resumes)
# make setup   Debian packages and libonnxruntime

export PATH := $(HOME)/.cargo/bin:$(PATH)
VENV := target/venv
SHARED ?= ../shared

.PHONY: demo test bench train setup lint package test-package test-vm test-long test-models test-training fmt

setup:
	.ci/setup

demo: setup
	.ci/browser
	cargo build --release --workspace --locked --bin plated --bin plated-station
	fixtures/demo.sh

test: setup lint
	.ci/aravis
	.ci/browser
	.ci/schemathesis
	.ci/tests
	$(MAKE) test-models

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo check --locked -p plated --no-default-features --features station --bin plated-station
	.ci/deny

fmt:
	cargo fmt --all

package: setup
	cargo build --release --workspace --locked --bin plated --bin plated-station
	systemd/debian/build

# The packages in a bare root: install, upgrade, remove, purge.
test-package: package
	systemd/debian/build --revision 2
	systemd/debian/test

# The package in a virtual machine, with cameras.
test-vm: package
	tests/vm/run

# What takes minutes: kills at a hundred random moments.
test-long: setup
	cargo test --locked --test e2e -- --ignored --nocapture

# The light tests of the training package: numpy, OpenCV and onnxruntime, no torch.
test-models: $(VENV)/ready
	cd models/training && ../../$(VENV)/bin/python -m pytest -q -rs tests

$(VENV)/ready: models/training/requirements-test.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

bench: setup $(VENV)/ready
	cargo bench --locked --bench plated
	benches/accuracy.sh

train:
	$(MAKE) -C models/training train

test-training:
	$(MAKE) -C models/training test-training
