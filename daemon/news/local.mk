# daemon/news/
