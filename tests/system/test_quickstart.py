"""The first of the README's two commands, without its build."""

import os
import re
import subprocess

import pytest

import kith as k


class Demo:
    def __init__(self, folder):
        self.environment = {**os.environ, "KITH_BUILD": str(k.BUILD),
                            "KITH_DEMO": str(folder)}

    def run(self, *args):
        return subprocess.run(
            [k.TOP / "tools" / "quickstart", *args], timeout=120, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=self.environment, text=True)


@pytest.fixture
def demo(tmp_path):
    made = Demo(tmp_path / "demo")
    yield made
    made.run("--stop")


def test_the_quickstart_leaves_a_demo_that_can_be_read_and_governed(demo):
    done = demo.run()
    assert done.returncode == 0, done.stdout
    port = int(re.search(r"nntp://127\.0\.0\.1:(\d+)/", done.stdout).group(1))
    with k.Raw(port) as news:
        assert news.line().startswith("200")
        assert news.ask("AUTHINFO USER desk").startswith("381")
        assert news.ask("AUTHINFO PASS demo").startswith("281")
        # a question, and who answered whom from where
        count = int(news.ask("GROUP mossgate.support").split()[1])
        assert count >= 6
    for line in re.findall(r"^  (\S*kithctl .*)$", done.stdout, re.M):
        said = subprocess.run(line.split(), check=False, text=True,
                              capture_output=True, timeout=60)
        assert said.returncode == 0 and said.stdout, (line, said.stderr)
    again = demo.run()
    assert again.returncode == 0 and "Filling" not in again.stdout
    stopped = demo.run("--stop")
    assert stopped.returncode == 0 and "Stopped" in stopped.stdout
    with pytest.raises(OSError):
        k.Raw(port)
