# bidsql: `make` builds ./bidsql, `make run` shows it, `make test` proves it.
#
#   make            ./bidsql (release build, warnings are errors)
#   make run        installs what is missing, builds, runs examples.sql
#   make test       installs what is missing, builds, runs the test suite (under ten minutes)
#   make check      the quick part of it (seconds)
#   make test-deep  the long runs: sanitizers, thousands of random cases, fuzzing
#   make fuzz       fuzz targets for libFuzzer, in build/libfuzzer/fuzz
#   make bench      throughput table
#   make unit-ROOM  unit tests of one room;   make layers  who includes whom

CC       = gcc
CXX      = g++
AR       = ar
B        = build
WARNINGS = -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-clobbered
HARDEN   = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -fcf-protection
OPT      = -O2
SANITIZE =
SHIM     =
DEFINES  = -D_GNU_SOURCE -DBIDSQL_VERSION='"$(VERSION)"' -DBIDSQL_COMMIT='"$(COMMIT)"'
CFLAGS   = -std=gnu11 -g $(OPT) $(WARNINGS) $(HARDEN) $(DEFINES) $(SANITIZE) -I. -I$(B)/gen
CXXFLAGS = -std=c++17 -g $(OPT) -Wall -Wextra -Werror $(HARDEN) $(DEFINES) $(SANITIZE) -fno-exceptions -I.
LDFLAGS  = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(SANITIZE)
LIBS     = -lsqlite3 -lrdkafka -lcurl -ljansson -lz -lzstd -lsimdjson -lutf8proc -lpcre2-8 -lmd -l:liblua5.4.a -lhttp_parser -lnghttp2 -lwslay -lssl -lcrypto -lpthread -lm
VERSION  = 0.1.0
COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

ROOMS    = common terminal http functions formats connectors telemetry parser planner exec engine runtime server tester repl
# Hot files get -O3; they choose AVX2 at run time through target attributes.
HOT      = formats/json_scan.c formats/csv_scan.c exec/key_table.c functions/aggregate.c functions/arithmetic.c \
           functions/compare.c connectors/nexmark.c

sources  = $(sort $(wildcard $(1)/*.c) $(if $(filter planner,$(1)),$(wildcard planner/rewrite/*.c)))
objects  = $(patsubst %.c,$(B)/%.o,$(filter-out repl/main.c,$(call sources,$(1)))) \
           $(patsubst %.cc,$(B)/%.o,$(wildcard $(1)/*.cc)) \
           $(if $(filter common,$(1)),$(SHIM)) \
           $(if $(filter parser,$(1)),$(if $(wildcard parser/sql.y),$(B)/gen/parser/sql.o) $(if $(wildcard parser/lexer.re),$(B)/gen/parser/lexer.o))
archives = $(patsubst %,$(B)/%.a,$(1))
# A room may use the rooms listed before it; archives are linked in reverse order.
upto     = $(shell echo "$(ROOMS)" | sed 's/\($(1)\).*/\1/')
reverse  = $(shell echo "$(1)" | tr ' ' '\n' | tac | tr '\n' ' ')

all: bidsql

bidsql: $(B)/bidsql
	cp $(B)/bidsql $@

$(B)/bidsql: $(B)/repl/main.o $(call archives,$(ROOMS))
	$(CXX) $(LDFLAGS) -o $@ $< -Wl,--start-group $(call archives,$(ROOMS)) -Wl,--end-group $(LIBS)

define room_rule
$(B)/$(1).a: $$(call objects,$(1))
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(if $(filter $<,$(HOT)),-O3) -MMD -MP -c -o $@ $<

$(B)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -MMD -MP -c -o $@ $<

# ---- the front end's generated files ----
$(B)/gen/parser/sql.c $(B)/gen/parser/sql.h: parser/sql.y
	@mkdir -p $(B)/gen/parser
	lemon -q -s -d$(B)/gen/parser $< >$(B)/gen/parser/lemon.log || { cat $(B)/gen/parser/lemon.log; exit 1; }
$(B)/gen/parser/lexer.c: parser/lexer.re
	@mkdir -p $(B)/gen/parser
	re2c -W -Werror --no-generation-date -i -o $@ $<
$(B)/gen/parser/%.o: $(B)/gen/parser/%.c $(B)/gen/parser/sql.h
	$(CC) $(CFLAGS) -Wno-shadow -Wno-unused-parameter -Wno-missing-prototypes -Wno-unused-variable -MMD -MP -c -o $@ $<
$(patsubst %.c,$(B)/%.o,$(wildcard parser/*.c)): | $(if $(wildcard parser/sql.y),$(B)/gen/parser/sql.h)

# ---- unit tests: tests/unit/ROOM/test_*.c link with ROOM and the rooms before it ----
define unit_rule
unit-$(1): $$(patsubst tests/unit/%.c,$(B)/unit/%,$$(wildcard tests/unit/$(1)/test_*.c))
	@set -e; for test in $$^; do echo "== $$$$test"; $$$$test; done
$(B)/unit/$(1)/%: tests/unit/$(1)/%.c $$(call archives,$$(call upto,$(1)))
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) -MMD -MP -c -o $$@.o $$<
	$$(CXX) $$(LDFLAGS) -o $$@ $$@.o -Wl,--start-group $$(call archives,$$(call upto,$(1))) -Wl,--end-group -lcmocka $$(LIBS)
.PHONY: unit-$(1)
endef
$(foreach room,$(ROOMS),$(eval $(call unit_rule,$(room))))
unit: $(foreach room,$(ROOMS),$(if $(wildcard tests/unit/$(room)/test_*.c),unit-$(room)))

# ---- fuzz targets: tests/fuzz/README.md. Without clang driver.c drives them; `make fuzz` builds them for libFuzzer ----
FUZZ_DRIVER = $(B)/tests/fuzz/driver.o
FUZZERS     = $(patsubst tests/fuzz/fuzz_%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(B)/fuzz/%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/fuzz.o $(B)/tests/fuzz/rows.o $(FUZZ_DRIVER) $(call archives,$(call upto,parser))
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $(FUZZ_LINK) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)
# statements are planned and run
$(B)/fuzz/statements: $(B)/tests/fuzz/fuzz_statements.o $(B)/tests/fuzz/generator.o $(B)/tests/fuzz/generator_statements.o $(B)/tests/fuzz/fuzz.o $(FUZZ_DRIVER) $(call archives,$(call upto,engine))
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $(FUZZ_LINK) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)
.SECONDARY:
fuzz-build: $(FUZZERS)
fuzz:
	@$(MAKE) --no-print-directory -s -j$(JOBS) $(LIBFUZZER) fuzz-build

# ---- failing allocations: tests/memory/run ----
$(B)/fail_allocations: $(B)/tests/memory/fail_allocations.o $(call archives,$(call upto,engine))
	$(CXX) $(LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# ---- Kafka's tests: tests/kafka/README.md ----
build/kafka/tool: tests/kafka/tool.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) -lrdkafka
build/kafka/micro_kafka: bench/micro_kafka.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) -lrdkafka
build/kafka/micro_latency: bench/micro_latency.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) -lrdkafka -lpthread
# a source by itself, without a query
$(B)/kafka/source: tests/kafka/source.c $(call archives,$(call upto,connectors))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@.o $<
	$(CXX) $(LDFLAGS) -o $@ $@.o -Wl,--start-group $(call archives,$(call upto,connectors)) -Wl,--end-group $(LIBS)
kafka-tool: build/kafka/tool $(B)/kafka/source build/kafka/micro_kafka build/kafka/micro_latency

# ---- a server for the tests of http/: tests/cli/http.sh ----
$(B)/http_server: $(B)/tests/http/server.o $(call archives,$(call upto,http))
	$(CXX) $(LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# ---- a runtime with many queries ----
$(B)/bench/runtime $(B)/bench/operators: $(B)/bench/%: bench/%.c $(call archives,$(call upto,runtime))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@.o $<
	$(CXX) $(LDFLAGS) -o $@ $@.o -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# ---- a runtime that is killed: tests/crash/run ----
$(B)/crash_driver: $(B)/tests/crash/driver.o $(call archives,$(call upto,runtime))
	$(CXX) $(LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# ---- sanitizer builds are the same rules in another folder ----
ASAN  = B=build/asan OPT=-O1 HARDEN= SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
LIBFUZZER = B=build/libfuzzer CC=clang CXX=clang++ OPT=-O1 HARDEN= FUZZ_DRIVER= WARNINGS=-w \
        SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=pointer-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer" FUZZ_LINK=-fsanitize=fuzzer
# unit tests of the rooms that have threads
THREADED = $(patsubst tests/unit/%.c,build/tsan/unit/%,$(foreach room,common http connectors runtime server,$(wildcard tests/unit/$(room)/test_*.c)))
# tests/tsan/c11_threads.c stands between librdkafka and glibc
TSAN  = B=build/tsan OPT=-O1 HARDEN= SHIM=build/tsan/tests/tsan/c11_threads.o SANITIZE="-fsanitize=thread -Wl,-u,thrd_create"

JOBS := $(shell nproc)

run:
	@tools/setup build
	@$(MAKE) --no-print-directory -s -j$(JOBS) bidsql
	./bidsql -o box -f examples.sql

test:
	@tools/setup test
	@$(MAKE) --no-print-directory -s -j$(JOBS) bidsql
	@$(MAKE) --no-print-directory -s -j$(JOBS) unit-build fuzz-build kafka-tool $(B)/fail_allocations $(B)/crash_driver $(B)/http_server
	@tools/run-tests

check: bidsql
	./bidsql test --mode=plain tests/sql docs README.md

test-deep:
	@tools/setup deep
	@$(MAKE) --no-print-directory -s -j$(JOBS) bidsql
	@tools/run-deep-tests

bench: bidsql
	@bench/run
# decoders of messages by themselves
bench-records: $(call archives,$(call upto,formats))
	$(CC) $(CFLAGS) -o $(B)/micro_records bench/micro_records.c $(LDFLAGS) -Wl,--start-group $(call archives,$(call upto,formats)) -Wl,--end-group $(LIBS) -lstdc++
	$(B)/micro_records

asan:
	@$(MAKE) --no-print-directory -s -j$(JOBS) $(ASAN) build/asan/bidsql
tsan:
	@$(MAKE) --no-print-directory -s -j$(JOBS) $(TSAN) build/tsan/bidsql
asan-tests:
	@$(MAKE) --no-print-directory -s -j$(JOBS) $(ASAN) unit-build build/asan/fail_allocations build/asan/http_server build/asan/crash_driver build/asan/kafka/source
asan-fuzz:
	@$(MAKE) --no-print-directory -s -j$(JOBS) $(ASAN) fuzz-build
tsan-tests:
	@$(MAKE) --no-print-directory -s -j$(JOBS) $(TSAN) $(THREADED) build/tsan/fail_allocations build/tsan/http_server build/tsan/crash_driver build/tsan/kafka/source

layers:
	@tools/layers

clean:
	rm -rf build bidsql

-include $(shell find $(B) -name '*.d' 2>/dev/null)
unit-build: $(foreach test,$(wildcard tests/unit/*/test_*.c),$(patsubst tests/unit/%.c,$(B)/unit/%,$(test)))
.PHONY: bench-records kafka-tool all clean fuzz fuzz-build unit unit-build run test check test-deep bench asan asan-tests asan-fuzz tsan tsan-tests layers
