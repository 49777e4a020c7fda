# daemon/community/
