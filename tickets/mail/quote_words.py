"""The words mail programs put around a quoted thread, in the languages they are sold in.

Plain tables, no rules: `quote_headers` decides what a line is. All entries are case-folded and NFC normalised.
"""

from typing import Final


def _table(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.replace("\n", "|").split("|") if entry.strip())


# "NAME wrote": the verb of an attribution line. Longer forms stand on their own, the matcher prefers them.
WROTE_VERBS: Final = _table(
    """
    wrote|writes|written|said|sent|schrieb|schreibt|hat geschrieben|geschrieben|a écrit|écrit|a ecrit|ecrit
    écrivit|escribió|escribio|escribe|escreveu|ha scritto|scrisse|scrive|ha escrit|va escriure|schreef
    het volgende geschreven|skrev|skrev følgende|har skrevet|skreiv|kirjoitti|napisał|napisała|napisał(a)
    napisali|pisze|napsal|napsala|napsal(a)|napísal|napísala|napísal(a)|пишет|писал|писала|написал|написала
    написал(а)|написав|пише|написа|написао|yazdı|yazmış|şunu yazdı|şunları yazdı|a scris|írta|ezt írta
    schrieb folgendes|έγραψε|đã viết|menulis|je napisao|je napisala|napisao|napisala je|je napisal|napisal
    kirjutas|rašė|rakstīja|skrifaði|idatzi du|escrigué|escribiu
    """
)
# Scripts without spaces between words: no word boundary is asked for.
WROTE_VERBS_UNSPACED: Final = _table(
    """
    写道|寫道|写到|来信|さんは書きました|は書きました|が書きました|書きました|さんのメール|のメール|のメッセージ
    님이 작성|님께서 작성|님이 쓴 글|님의 메시지|작성했습니다|작성함|작성|썼습니다|เขียนว่า|เขียน|כתב/ה|כתבה|כתב
    كتب|كتبت
    """
)

# The word an attribution line starts with, before its date.
ATTRIBUTION_LEADS: Final = _table(
    """
    on|at|am|vom|um|le|el|en|a|em|no dia|dia|il giorno|il|in data|op|den|d.|på|w dniu|dnia|dne|dňa|в|от|la|pe
    pada|tarihinde|στις|vào|vào lúc|ngày|בתאריך|في|在|el día|el dia|na|dana|kl
    """
)
# "Quoting NAME <address>:"
QUOTING_LEADS: Final = (
    "quoting", "zitat von", "zitiere", "citando", "citation de", "selon", "citazione da", "citat från", "citat fra",
    "citerar", "citeren", "citaat van", "lainaus", "cytowanie", "cytat", "citace", "цитирую", "цитата от",
    "citas de", "引用",
)  # fmt: skip

FROM, DATE, TO, SUBJECT, OTHER = "from", "date", "to", "subject", "other"

# The keys of a "From: / Sent: / To: / Subject:" block; two keys may stand in one language for the same header.
_HEADER_KEYS: Final = {
    FROM: """
        from|von|de|da|van|fra|från|fran|lähettäjä|od|от|от кого|差出人|送信者|发件人|寄件者|寄件人|보낸 사람
        보낸사람|발신|kimden|gönderen|від|feladó|expeditor|expediteur|expéditeur|remitente|remetente|mittente
        afzender|afsender|avsender|avsändare|nadawca|odesílatel|odosielateľ|absender|από|מאת|من|จาก|dari|từ
        message de|de la|saatja|nuo
    """,
    DATE: """
        date|sent|sent on|date sent|sent at|gesendet|gesendet am|datum|am|envoyé|envoye|envoyé le|envoye le
        date d'envoi|enviado|enviado el|enviado em|enviada em|enviada|enviado a las|fecha|data|inviato
        inviato il|data invio|verzonden|verzonden op|verstuurd|sendt|dato|skickat|skickat den|lähetetty
        päivämäärä|pvm|wysłano|data wysłania|wysłane|odesláno|odeslano|odoslané|dátum|дата|отправлено|надіслано
        送信日時|日時|日付|送信|发送时间|发送日期|日期|傳送時間|寄件日期|時間|时间|보낸 날짜|보낸날짜|날짜
        보낸 시간|gönderildi|gönderme tarihi|tarih|elküldve|küldve|trimis|poslano|message du|le|ημερομηνία
        στάλθηκε|נשלח|תאריך|تاريخ|التاريخ|ส่ง|วันที่|dikirim|tanggal|đã gửi|ngày|aeg
    """,
    TO: """
        to|an|à|a|para|naar|aan|til|till|vastaanottaja|do|komu|pro|кому|宛先|收件人|收件者|받는 사람|받는사람
        수신|kime|alıcı|címzett|către|destinataire|destinatario|destinatário|empfänger|προς|אל|إلى|ถึง|kepada
        đến|prima
    """,
    SUBJECT: """
        subject|betreff|betrifft|objet|sujet|asunto|assunto|oggetto|onderwerp|emne|ämne|amne|aihe|temat|předmět
        predmet|predmět|тема|件名|主题|主題|标题|제목|konu|tárgy|subiect|θέμα|נושא|الموضوع|เรื่อง|subjek|chủ đề
        teema|naslov
    """,
    OTHER: """
        cc|bcc|kopie|kopi|kopia|kopio|copie|copie à|copia|cópia|ccn|cci|cco|cópia oculta|c.c.|dw|udw|kopii|копия
        抄送|副本|密件抄送|참조|bilgi|gizli|reply-to|reply to|antwort an|répondre à|responder a|rispondi a
        svar til|importance|wichtigkeit|priorität|priority|ważność|důležitost|importancia|prioridad|prioridade
        attachments|anlagen|anhang|pièces jointes|datos adjuntos|anexos|allegati|bijlagen|vedhæftede filer
        organization|message-id|x-mailer|mailed-by|signed-by|security|list-unsubscribe|return-path|delivered-to
        received|resent-from|resent-to|resent-date|user-agent|mime-version|content-type|newsgroups|sender
    """,
}
HEADER_KINDS: Final[dict[str, str]] = {
    key: kind for kind, keys in reversed(_HEADER_KEYS.items()) for key in _table(keys)
}

# Date keys people use for their own appointments, too.
EVERYDAY_DATE_KEYS: Final = frozenset(
    _table(
        "date|datum|data|fecha|dato|дата|日期|日付|日時|時間|时间|날짜|tarih|dátum|am|le|pvm|päivämäärä|ngày|tanggal"
    )
)

# "----- Original Message -----" and its sisters: whatever follows is the thread.
ORIGINAL_MESSAGE_PHRASES: Final = frozenset(
    _table(
        """
    original message|reply message|original email|original e-mail|previous message|quoted message
    message original|message d'origine|message d’origine|message initial|ursprüngliche nachricht
    urspruengliche nachricht|originalnachricht|original-nachricht|originalmeldung|original-mail
    originale nachricht|antwort nachricht|antwortnachricht|mensaje original|mensaje de origen|mensagem original
    messaggio originale|messaggio originario|oorspronkelijk bericht|origineel bericht|origineel e-mailbericht
    oprindelig meddelelse|oprindelig besked|original besked|original meddelelse|originalmeddelande
    ursprungligt meddelande|ursprungligt mail|opprinnelig melding|opprinnelig e-post|alkuperäinen viesti
    wiadomość oryginalna|oryginalna wiadomość|wiadomość pierwotna|původní zpráva|puvodni zprava|původní e-mail
    pôvodná správa|исходное сообщение|исходное письмо|оригинальное сообщение|пересылаемое исходное сообщение
    первоначальное сообщение|оригінальне повідомлення|元のメッセージ|元のメール|オリジナルメッセージ
    original mail|原始邮件|原始郵件|原始信件|原邮件|邮件原件|원본 메시지|원본 메일|원본메시지|özgün ileti
    orijinal ileti|orijinal mesaj|özgün mesaj|eredeti üzenet|mesaj original|mesajul original|izvorna poruka
    izvorno sporočilo|originalna poruka|αρχικό μήνυμα|הודעה מקורית|الرسالة الأصلية|ข้อความต้นฉบับ|pesan asli
    tin nhắn gốc|thư gốc|missatge original|algne kiri
        """
    )
)

# What stands above a forwarded mail: whatever follows is what the sender wanted us to read.
FORWARD_PHRASES: Final = frozenset(
    _table(
        """
    forwarded message|forwarded mail|forwarded email|forwarded by|forwarded message from|begin forwarded message
    start of forwarded message|begin forwarded mail|weitergeleitete nachricht|weitergeleitete e-mail
    anfang der weitergeleiteten nachricht|anfang der weitergeleiteten e-mail|weitergeleitete mail
    beginn der weitergeleiteten nachricht|message transféré|message transfere|début du message transféré
    début du message réexpédié|courriel transféré|mensaje reenviado|inicio del mensaje reenviado
    mensaje remitido|mensagem encaminhada|mensagem reencaminhada|início da mensagem encaminhada
    início da mensagem reencaminhada|messaggio inoltrato|inizio messaggio inoltrato|messaggio inoltrato da
    inoltrato messaggio|doorgestuurd bericht|begin doorgestuurd bericht|doorgestuurde bericht
    videresendt meddelelse|videresendt besked|start på videresendt besked|vidarebefordrat meddelande
    vidarebefordrat mail|vidarebefordrat brev|börjat vidarebefordrat brev|start på vidarebefordrat brev
    videresendt melding|videresendt e-post|start på videresendt melding|begynnelsen på videresendt melding
    välitetty viesti|edelleenlähetetty viesti|välitetty viesti alkaa|alkaa välitetty viesti|przekazana wiadomość
    wiadomość przekazana|przesłana wiadomość|treść przekazanej wiadomości|początek przekazywanej wiadomości
    přeposlaná zpráva|předaná zpráva|začátek přeposlané zprávy|preposlaná správa|пересылаемое сообщение
    пересланное сообщение|перенаправленное сообщение|начало переадресованного сообщения
    начало пересылаемого сообщения|начало пересланного сообщения|переадресованное сообщение
    переслане повідомлення|転送されたメッセージ|転送メッセージ|転送されたメール|以下は転送されたメッセージ
    转发的邮件|转发邮件|转发邮件信息|已转发的邮件|以下是转发的邮件|開始轉寄郵件|轉寄郵件|轉寄的郵件|已轉寄的郵件
    已轉寄郵件|전달된 메시지|전달된 메일|전달된 이메일|iletilen mesaj|iletilmiş mesaj|iletilen ileti
    yönlendirilmiş mesaj|iletilen iletinin başlangıcı|továbbított üzenet|mesaj redirecționat|προωθημένο μήνυμα
    הודעה שהועברה|رسالة مُعاد توجيهها|pesan terusan|pesan diteruskan|thư được chuyển tiếp|thư chuyển tiếp
    missatge reenviat|proslijeđena poruka|posredovano sporočilo
        """
    )
)

# "Sent from my phone": (first words, then a short remainder). A line is one only if it is short and is no sentence.
MOBILE_SIGNATURE_LEADS: Final = (
    "sent from my", "sent from the", "sent from a", "sent from", "sent via", "sent with", "sent using",
    "get outlook for", "sent on the go", "send from my", "sendt from my", "written on my", "typed on my",
    "sent mobile", "sent on my", "download outlook for", "gesendet von", "von meinem", "gesendet mit",
    "gesendet aus", "gesendet über", "gesendet vom", "von unterwegs gesendet", "diese nachricht wurde von meinem",
    "holen sie sich outlook", "outlook für", "envoyé de", "envoyé depuis", "envoyé à partir", "envoyé avec",
    "envoyé via", "obtenez outlook", "télécharger outlook", "enviado desde", "enviado de", "enviado do",
    "enviado com", "enviado via", "enviado pelo", "enviado a partir", "enviado con", "obtener outlook",
    "obter o outlook", "inviato da", "inviato dal", "inviato con", "inviato tramite", "ottieni outlook",
    "scarica outlook", "verzonden vanaf", "verzonden via", "verzonden met", "verstuurd vanaf", "verstuurd met",
    "outlook voor", "download outlook voor", "sendt fra", "sendt via", "hent outlook", "skickat från",
    "skickat med", "skickades från", "hämta outlook", "skaff deg outlook", "få outlook", "lähetetty iph",
    "lähetetty ipa", "lähetetty and", "lähetetty sams", "lähetetty puh", "hanki outlook", "wysłano z", "wysłane z",
    "pobierz outlook", "uzyskaj outlook", "odesláno z", "odoslané z", "získat outlook", "stáhněte si outlook",
    "отправлено с", "отправлено из", "послано с", "скачать outlook", "получить outlook", "надіслано з",
    "iphoneから送信", "ipadから送信", "androidから送信", "私のiphoneから送信", "outlook for ios を入手", "从我的",
    "發自我的", "发自我的", "从 iphone 发送", "发自", "傳送自", "獲取 outlook", "获取 outlook", "나의 iphone",
    "나의 galaxy", "내 iphone에서", "iphone에서 보냄", "iphone'umdan gönderildi", "ipad'imden gönderildi",
    "android için outlook", "ios için outlook", "samsung cihazımdan gönderildi", "trimis de pe", "elküldve iph",
    "elküldve az", "στάλθηκε από", "נשלח מה", "أرسلت من", "dikirim dari", "được gửi từ", "poslano z", "poslano s",
    "enviat des de", "изпратено от",
)  # fmt: skip

# Words only a footer of a mailing list or of a mail service has.
FOOTER_WORDS: Final = (
    "mailing list", "mailman/listinfo", "listinfo", "unsubscribe", "you received this message because",
    "you are receiving this", "google groups", "groups.google", "reply to this email directly", "view it on github",
    "abmelden", "désinscrire", "se désabonner", "darse de baja", "uitschrijven", "yahoo! groups", "virus-free",
    "virenfrei", "avast.com",
)  # fmt: skip

# "Please type your reply above this line": everything below it is what a helpdesk sent.
REPLY_ABOVE_PHRASES: Final = (
    "reply above this line", "reply above line", "type your reply above", "write above this line",
    "reply above this", "type above this line", "antworten sie oberhalb dieser", "antwort oberhalb dieser",
    "antwort über dieser linie", "oberhalb dieser zeile", "répondre au-dessus de cette ligne",
    "au-dessus de cette ligne", "por encima de esta línea", "encima de esta línea", "acima desta linha",
    "sopra questa linea", "sopra questa riga", "boven deze lijn", "boven deze regel", "over denne linje",
    "ovanför denna rad", "ovanför den här raden", "over denne linjen", "tämän rivin yläpuolelle",
    "powyżej tej linii", "nad tímto řádkem", "выше этой строки", "над этой строкой", "この行より上", "在此行上方",
    "在此線上方", "이 줄 위에", "bu satırın üst",
)  # fmt: skip
