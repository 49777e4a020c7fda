# tests/unit: what kithd's processes stand on
daemon_tests = test_config test_control test_ipc test_loop test_sandbox \
	test_stream
check_PROGRAMS += $(daemon_tests)
TESTS += $(daemon_tests)
test_config_SOURCES = tests/unit/test_config.c
test_config_LDADD = $(KITHDAEMON_LIBS) $(CMOCKA_LIBS)
test_control_SOURCES = tests/unit/test_control.c
test_control_LDADD = $(KITHDAEMON_LIBS) $(CMOCKA_LIBS)
test_ipc_SOURCES = tests/unit/test_ipc.c
test_ipc_LDADD = $(KITHDAEMON_LIBS) $(CMOCKA_LIBS)
test_loop_SOURCES = tests/unit/test_loop.c
test_loop_LDADD = $(KITHDAEMON_LIBS) $(CMOCKA_LIBS)
test_sandbox_SOURCES = tests/unit/test_sandbox.c
test_sandbox_LDADD = $(KITHDAEMON_LIBS) $(CMOCKA_LIBS)
test_stream_SOURCES = tests/unit/test_stream.c tests/unit/certificate.c \
	tests/unit/certificate.h
test_stream_LDADD = $(KITHDAEMON_LIBS) $(CMOCKA_LIBS)
daemon_deflate_tests = test_stream_deflate
check_PROGRAMS += $(daemon_deflate_tests)
TESTS += $(daemon_deflate_tests)
test_stream_deflate_SOURCES = tests/unit/test_stream_deflate.c $(test_client)
test_stream_deflate_LDADD = $(KITHDAEMON_LIBS) $(CMOCKA_LIBS)
