"""Progress told in other languages, put into the English words that the general layer knows.

Only what a count of work needs is put: the words around a number, and the order of whole and part. The text that
people see stays as it was.
"""

from __future__ import annotations

import re

_WORDS = {
    # Japanese and Chinese; the longer words first
    "使用率": " usage ", "使用量": " usage ", "成功率": " success rate ", "失敗率": " error rate ",
    "空き": " space ", "圧縮率": " compression ", "メモリ": " memory ", "カバレッジ": " coverage ",
    "再試行": " retry ", "リトライ": " retry ", "バッテリー": " battery ", "残り": " remaining ",
    "内存": " memory ", "覆盖率": " coverage ", "重试": " retry ", "進捗": " progress ",
    "進行状況": " progress ", "进度": " progress ", "进展": " progress ", "进程": " process ",
    "処理済み": " processed ", "処理中": " processing ", "処理": " processed ", "正在处理": " processing ",
    "处理": " processing ", "已完成": " completed ", "完了": " completed ", "完成": " completed ",
    "終了": " finished ", "ダウンロード": " download ", "下载": " download ", "アップロード": " upload ",
    "上传": " upload ", "インストール": " install ", "安装": " install ", "コンパイル": " compile ",
    "编译": " compile ", "ビルド": " build ", "构建": " build ", "テスト": " test ", "测试": " test ",
    "デプロイ": " deploy ", "部署": " deploy ", "転送": " transfer ", "コピー": " copy ", "复制": " copy ",
    "読み込み": " load ", "書き込み": " write ", "変換": " convert ", "展開": " extract ", "解凍": " extract ",
    "検証": " verify ", "スキャン": " scan ", "生成": " generate ", "作成": " create ", "削除": " remove ",
    "移行": " migrate ", "同期": " sync ", "ステップ": " step ", "步骤": " step ", "フェーズ": " phase ",
    "ファイル": " file ", "文件": " file ", "件目": " ", "ページ": " page ", "エポック": " epoch ",
    "タスク": " task ", "レコード": " record ", "行目": " ", "個目": " ", "件": " items ", "個": " items ",
    "个": " items ", "中": " ",
    # German, French, Spanish, Italian, Portuguese
    "schritt": "step", "datei": "file", "seite": "page", "abgeschlossen": "completed", "fertig": "done",
    "verarbeitet": "processed", "heruntergeladen": "downloaded", "fortschritt": "progress", "étape": "step",
    "fichier": "file", "terminé": "done", "traité": "processed", "téléchargé": "downloaded", "progression": "progress",
    "paso": "step", "archivo": "file", "completado": "completed", "terminado": "done", "procesado": "processed",
    "passo": "step", "completato": "completed", "concluído": "completed", "progreso": "progress",
}  # fmt: skip
_WIDE = str.maketrans("％／（）［］０１２３４５６７８９", "%/()[]0123456789") | {ord("："): ": "}
_WORD = re.compile("|".join(map(re.escape, _WORDS)), re.IGNORECASE)
_PART_OF = re.compile(
    r"(?P<m>\d{1,15})\s?(?:件|個|个|ファイル|ページ)?\s?(?:中|のうち|个中)の?\s?(?P<n>\d{1,15})(?!\d)"
)
"""The whole is named first: ``29件中15件``."""
_OF = re.compile(r"(?<=\d) (?:von|sur|de|di|van) (?=\d)")


def english(text: str) -> str | None:
    """``text`` with the words that matter in English, or ``None`` when it has none of them."""
    wide = text.translate(_WIDE)
    put = _OF.sub(" of ", _PART_OF.sub(r" \g<n>/\g<m> ", wide))
    put = _WORD.sub(_put, put)
    return put if put != text else None


def _put(found: re.Match[str]) -> str:
    return _WORDS[found[0].lower()]
