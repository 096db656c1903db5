"""Progress told in Japanese and other languages."""

from __future__ import annotations

import pytest

from miyabi.progress.reader import Reader, Reading


def read(*messages: str) -> Reading:
    reader = Reader()
    reader.read(messages)
    return reader.reading


@pytest.mark.parametrize(
    ("line", "percentage"),
    [
        ("進捗: 52%", 52.0),
        ("処理中... 52%", 52.0),
        ("29件中15件完了", 51.7),
        ("全29件のうち15件が完了しました", 51.7),
        ("15/29 件を処理しました", 51.7),
        ("ダウンロード中 52%", 52.0),
        ("アップロード進行状況：52％", 52.0),
        ("処理済み：15／29", 51.7),
        ("[15/29] ビルド中: src/a.cc", 51.7),
        ("ステップ 15/29: テスト", 51.7),
        ("正在处理 15/29", 51.7),
        ("下载进度 52%", 52.0),
        ("Schritt 15 von 29", 51.7),
        ("52 % abgeschlossen", 52.0),
        ("Étape 15 sur 29", 51.7),
        ("Paso 15 de 29", 51.7),
    ],
)
def test_a_count_of_work_is_read_in_the_users_language(line: str, percentage: float) -> None:
    reading = read(line)
    assert reading.progress.percentage == percentage
    assert reading.source is not None
    assert reading.source.text == line


@pytest.mark.parametrize(
    "line",
    [
        "CPU使用率: 52%",
        "メモリ使用量 15/29 GB",
        "2025年11月15日 10時15分",
        "カバレッジ: 85%",
        "空き容量 52%",
        "成功率 52%",
        "再試行 2/5",
    ],
)
def test_a_measure_is_none_in_any_language(line: str) -> None:
    assert read(line).progress.percentage is None


def test_how_it_ended_is_read_in_japanese_too() -> None:
    assert read("ビルドが正常に完了しました。").status == "succeeded"
    failed = read("エラー: 設定ファイルがありません", "ビルドに失敗しました")
    assert failed.status == "failed"
    assert failed.error == "エラー: 設定ファイルがありません"
