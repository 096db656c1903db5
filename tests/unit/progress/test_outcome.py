"""How a run ended, by a tool's closing words: one line of every tool that says it in its own way."""

from __future__ import annotations

import pytest

from miyabi.progress.reader import Reader

ENDINGS: tuple[tuple[str, str], ...] = (
    ("succeeded", " Lerna (powered by Nx)   Successfully ran target build for 4 projects (4s)"),
    ("failed", "nox > * t(k=3): failed\nnox > * t(k=4): success"),
    ("succeeded", "1..16\n# tests 16\n# pass  16\n\n# ok"),
    ("failed", "FAIL src/a.test.js\nTest Suites: 1 failed, 2 passed, 3 total"),
    ("failed", "Error: Cannot find module 'x'\n    at Function._load (node:internal)"),
    ("failed", "error TS2304: Cannot find name 'x'.\nFound 3 errors in 2 files."),
    ("succeeded", "Found 0 errors. Watching for file changes."),
    ("failed", 'ERROR: failed to solve: process "/bin/sh -c npm ci" did not complete successfully: exit code: 1'),
    ("succeeded", "Successfully tagged app:latest"),
    ("failed", "FAILURE: Build failed with an exception.\nBUILD FAILED in 3s"),
    ("succeeded", "BUILD SUCCESSFUL in 3s\n5 actionable tasks: 5 executed"),
    ("failed", "[INFO] BUILD FAILURE"),
    ("succeeded", "✓ built in 1.83s"),
    ("failed", "error during build:\nRollupError: Could not resolve"),
    ("succeeded", "Compiled successfully in 2.3s"),
    ("failed", "Failed to compile."),
    ("succeeded", "Apply complete! Resources: 3 added, 0 changed, 0 destroyed."),
    ("failed", "╷\n│ Error: creating S3 Bucket (x): BucketAlreadyExists\n╵"),
    ("succeeded", "Destroy complete! Resources: 3 destroyed."),
    ("failed", "error: update failed"),
    ("failed", "npm ERR! code ELIFECYCLE\nnpm ERR! errno 1"),
    ("succeeded", "added 152 packages, and audited 153 packages in 5s\nfound 0 vulnerabilities"),
    ("failed", "thread 'main' panicked at src/main.rs:5:5:"),
    ("failed", 'error: could not compile `x` (bin "x") due to 2 previous errors'),
    ("succeeded", "    Finished `dev` profile [unoptimized + debuginfo] target(s) in 3.02s"),
    ("failed", "test result: FAILED. 3 passed; 1 failed; 0 ignored"),
    ("succeeded", "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured"),
    ("failed", "--- FAIL: TestX (0.00s)\nFAIL\nFAIL\texample.com/x\t0.005s"),
    ("succeeded", "ok  \texample.com/x\t0.005s"),
    ("failed", "make: *** [Makefile:5: all] Error 2"),
    ("failed", "Segmentation fault (core dumped)"),
    ("failed", "Killed"),
    ("failed", "java.lang.OutOfMemoryError: Java heap space"),
    ("failed", 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nValueError: bad'),
    ("failed", "RuntimeError: CUDA out of memory. Tried to allocate 2 GiB"),
    ("failed", "PLAY RECAP ****\nhost1 : ok=3 changed=1 unreachable=0 failed=1 skipped=0"),
    ("succeeded", "PLAY RECAP ****\nhost1 : ok=3 changed=1 unreachable=0 failed=0 skipped=0"),
    ("failed", "E: Unable to locate package foo"),
    ("failed", "curl: (6) Could not resolve host: x"),
    ("failed", "fatal: repository 'x' not found"),
    ("failed", "rsync error: some files could not be transferred (code 23) at main.c(1330)"),
    ("succeeded", "sent 152 bytes  received 29 bytes  362.00 bytes/sec\ntotal size is 0  speedup is 0.00"),
    ("failed", "pg_restore: error: could not connect to database"),
    ("failed", "ERROR 1045 (28000): Access denied for user 'x'"),
    ("failed", "BUILD INTERRUPTED"),
    ("failed", "1 error generated."),
    ("failed", "collect2: error: ld returned 1 exit status"),
    ("failed", "✖ 3 problems (3 errors, 0 warnings)"),
    ("running", "✖ 3 problems (0 errors, 3 warnings)"),
    ("succeeded", "All checks passed!"),
    ("failed", "Found 3 errors.\n[*] 2 fixable"),
    ("succeeded", "Success: no issues found in 172 source files"),
    ("failed", "Error response from daemon: pull access denied"),
    ("failed", "The command '/bin/sh -c x' returned a non-zero code: 1"),
    ("failed", "Job failed: exit code 1"),
    ("succeeded", "Job succeeded"),
    ("failed", "##[error]Bash exited with code '1'."),
    ("failed", "Deployment failed!"),
    ("succeeded", "Deployment complete!"),
    ("succeeded", 'deployment "web" successfully rolled out'),
    ("failed", 'error: deployment "web" exceeded its progress deadline'),
    ("failed", "Error: UPGRADE FAILED: timed out waiting for the condition"),
    ("failed", "❌  MyStack failed: Error: The stack named MyStack failed creation"),
    ("succeeded", " ✅  MyStack\n\n✨  Deployment time: 15s"),
    ("succeeded", "snapshot 1a2b3c4d saved"),
    ("failed", "Fatal: unable to open config file"),
    ("succeeded", "Backup completed successfully."),
    ("succeeded", "Training complete."),
    ("succeeded", "Training finished in 152.9s"),
    ("failed", "Build step 'Execute shell' marked build as failure\nFinished: FAILURE"),
    ("succeeded", "Finished: SUCCESS"),
    ("failed", "Pipeline failed"),
    ("failed", "Aborted (core dumped)"),
    ("failed", "Command failed with exit code 1."),
    ("failed", "error Command failed with exit code 1."),
    ("succeeded", "✨  Done in 5.29s."),
    ("failed", "ERR_PNPM_NO_MATCHING_VERSION  No matching version found"),
    ("failed", " ELIFECYCLE  Command failed with exit code 1."),
    ("succeeded", "Done in 5.2s"),
    ("failed", "Installation failed, reverting ./composer.json"),
    ("failed", "Your requirements could not be resolved to an installable set of packages."),
    ("failed", "ERROR: Could not find a version that satisfies the requirement foo"),
    ("failed", "ERROR: No matching distribution found for foo"),
    ("succeeded", "Successfully installed foo-1.0"),
    ("failed", "  1 failing"),
    ("succeeded", "  15 passing (2s)"),
    ("failed", "=========== 1 failed, 28 passed in 3.21s ==========="),
    ("succeeded", "=========== 29 passed, 2 warnings in 3.21s ==========="),
    ("failed", "=========== 1 error in 0.21s ==========="),
    ("failed", "29 examples, 1 failure"),
    ("succeeded", "29 examples, 0 failures"),
    ("failed", "Tests run: 29, Failures: 1, Errors: 0, Skipped: 0"),
    ("succeeded", "Tests run: 29, Failures: 0, Errors: 0, Skipped: 0"),
    ("succeeded", "OK (29 tests, 58 assertions)"),
    ("running", "0 errors, 3 warnings so far"),
    ("running", "retrying after error: connection reset"),
    ("running", "Compiling error_chain v0.12"),
    ("running", "Downloading failed-tests-report.html"),
    ("running", "INFO no errors found yet"),
    ("running", "[INFO] Building success-page 1.0"),
    ("running", "WARN deprecated fatal-errors@1.0.0"),
)


@pytest.mark.parametrize(("status", "text"), ENDINGS)
def test_closing_words_tell_how_it_ended_and_other_words_do_not(status: str, text: str) -> None:
    reader = Reader()
    reader.read(text.split("\n"))
    assert reader.reading.status == status


def test_a_bare_word_of_success_does_not_undo_a_failure_that_was_summed_up() -> None:
    reader = Reader()
    reader.read(["FAILED (failures=1, skipped=1)", "Destroying test database", " OK"])
    assert reader.reading.status == "failed"


def test_the_time_that_tests_took_does_not_undo_their_failure() -> None:
    reader = Reader()
    reader.read(["18 specs, 3 failures", "Finished in 1.515 seconds"])
    assert reader.reading.status == "failed"


def test_tests_that_are_still_to_come_are_no_success() -> None:
    reader = Reader()
    reader.read([" Test Files  1 passed (3)"])
    assert reader.reading.status == "running"
