-- A person is erased: the names that were copied when they were written go, too.
grant update (actor_name) on command to parkline_app;
