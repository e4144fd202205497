"""The pictures of a browser: they outlive the page, can be liked, and deleted with a way back."""

import shutil

import gradio as gr

from apps.page.stylise import album as web_album
from apps.page.stylise import handlers, history, views
from apps.service import owners
from tests.apps.page.stylise.without_work import (
    LIMITS,
    SETTINGS,
    album,
    reopened,
    request,
    run,
    values,
)


def named(values: tuple) -> dict:
    return dict(zip((*views.OUTPUTS, "more", "undo"), values, strict=True))


def test_what_is_cleared_can_be_brought_back(pair, work):
    last, _ = run(handlers.Stylise(LIMITS).stylise, *values(pair))
    gone = named(history.clear(request()))
    assert (album().pictures, gone["gallery"], gone["undo"].visible) == ([], [], True)
    back = named(history.bring_back(request()))
    assert back["gallery"] == last["gallery"]
    assert back["undo"].visible is False


def test_a_deleted_picture_comes_back_in_its_place_until_another_is_deleted(pair, work):
    run(handlers.Stylise(LIMITS).stylise, *values(pair))
    first, second = album().pictures
    gone = named(history.delete(request(), first.path.name))
    assert [file for file, _ in gone["gallery"]] == [str(second.thumb)]
    assert gone["chosen"] == second.path.name
    history.bring_back(request())
    assert album().pictures == [first, second]
    history.delete(request(), first.path.name)
    history.delete(request(), second.path.name)
    assert (first.path.exists(), second.path.exists()) == (False, True)
    assert all(v == gr.skip() for v in history.delete(request("a stranger"), second.path.name))


def test_favourites_come_first_and_make_no_room_for_others(pair, work, monkeypatch):
    monkeypatch.setattr(web_album, "MOST_PICTURES", 2)
    run(handlers.Stylise(LIMITS).stylise, *values(pair))
    liked = album().pictures[0]
    button, gallery = history.like(request(), liked.path.name)
    assert button.value == "★ Favourite"
    assert [words[:2] for _, words in gallery] == ["★ ", "Pa"]
    assert gallery[0][0] == str(liked.thumb)
    run(handlers.Stylise(LIMITS).stylise, *values(pair, ("adain", *SETTINGS[1:])))
    assert album().pictures[0] == liked
    assert history.like(request(), liked.path.name)[0].value == "☆ Favourite"
    assert all(v == gr.skip() for v in history.like(request("a stranger"), liked.path.name))


def test_a_job_outlives_its_page_and_the_next_page_follows_it(pair, work, monkeypatch):
    monkeypatch.setattr(owners, "current", lambda: "one browser")
    work.go_on.clear()
    handlers.begin(request("lost"))
    job = handlers.Stylise(LIMITS).stylise(request("lost"), *values(pair))
    while (made := web_album.album_of(request())) is None or not made.pictures:
        next(job)
    job.close()
    handlers.leave(request("lost"))
    shown = reopened("new")
    switched = [shown[name].interactive for name in views.SWITCHED]
    assert switched == [name == "stop" for name in views.SWITCHED]
    assert len(shown["gallery"]) == 1
    assert shown["chosen"] == album().pictures[0].path.name
    work.go_on.set()
    *_, last = handlers.follow(request("new"))
    assert "Done: 2 pictures" in dict(zip(views.OUTPUTS, last, strict=True))["status"]
    assert len(album().pictures) == 2
    # Without a job there is nothing to follow, but the pictures are there.
    *_, last = handlers.follow(request("newer"))
    assert all(value == gr.skip() for value in last)
    assert len(reopened()["gallery"]) == 2
    monkeypatch.setattr(owners, "current", lambda: "another browser")
    strangers = reopened()
    assert strangers.pop("bundle").interactive is False
    assert all(strangers[name] == gr.skip() for name in views.OUTPUTS if name in strangers)


def test_what_has_expired_is_forgotten(pair, work):
    run(handlers.Stylise(LIMITS).stylise, *values(pair))
    first, second = album().pictures
    first.path.unlink()
    assert album().pictures == [second]
    shutil.rmtree(album().folder)
    assert album().pictures == []
    run(handlers.Stylise(LIMITS).stylise, *values(pair))  # in a new folder
    assert len(album().pictures) == 2
