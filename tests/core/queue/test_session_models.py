"""Each session names the models that its own graph names, with its values put in."""

from support.batches import a_batch, values

from impasto.queue.expansion import expand
from impasto.queue.session_models import SessionModels, models_of_sessions


def test_all_sessions_name_what_the_graph_names() -> None:
    models = SessionModels(written={("first", "model"): ["b"], ("second", "model"): ["a", "b"]})
    batch = a_batch([values("first", "a", 1, 2)], runs=2)
    assert list(models_of_sessions(batch, models)) == [",a,b,"] * 4


def test_a_session_without_models_names_none() -> None:
    assert list(models_of_sessions(a_batch(runs=2), SessionModels())) == [None, None]


def test_what_the_data_give_replaces_what_the_graph_has_in_the_order_of_the_sessions() -> None:
    batch = a_batch(
        [values("first", "model", "m1", "m2"), values("first", "a", 1, 2)],
        [values("second", "lora", "l1", None)],
        runs=2,
    )
    models = SessionModels(
        written={("first", "model"): ["m1"], ("first", "vae"): ["v"]},
        given={("first", "model"): [["m1"], ["m2"]], ("second", "lora"): [["l1"], []]},
    )
    named = list(models_of_sessions(batch, models))
    assert named == [",l1,m1,v,", ",l1,m1,v,", ",m1,v,", ",m1,v,", ",l1,m2,v,", ",l1,m2,v,", ",m2,v,", ",m2,v,"]
    assert len(named) == len(list(expand(batch)))


def test_a_session_whose_data_take_the_only_model_away_names_none() -> None:
    batch = a_batch([values("first", "model", "m", None)])
    models = SessionModels(written={("first", "model"): ["m"]}, given={("first", "model"): [["m"], []]})
    assert list(models_of_sessions(batch, models)) == [",m,", None]
