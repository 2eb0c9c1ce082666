import time, pytest, random
from datetime import timedelta
from django.test import Client
from helpdesk.events import outbox
from helpdesk.events.models import Hook
from helpdesk.conversations.models import Message
pytestmark = pytest.mark.django_db
def test_measure(company, twilio, at):
    hooks=[twilio.text(f"t{n}", sid=f"SM{n:05}", sender=f"+49151000{n%20:05}") for n in range(600)]
    c=Client(); worst=0
    posts=hooks+random.Random(1).sample(hooks,300)
    p0=time.process_time()
    for h in posts:
        w=time.perf_counter(); r=c.post(h.path,data=h.raw,content_type=h.headers["Content-Type"],headers=h.headers); worst=max(worst,time.perf_counter()-w); assert r.status_code==200
    p1=time.process_time()
    while outbox.drain(at+timedelta(days=999)): pass
    p2=time.process_time()
    assert Hook.objects.count()==600 and Message.objects.filter(via="sms").count()==600
    for k in range(20):
        texts=list(Message.objects.filter(via="sms",customer__identities__handle=f"+49151000{k:05}").order_by("pk").values_list("text",flat=True))
        assert texts==[f"t{n}" for n in range(600) if n%20==k]
    print(f"MEASURE post cpu {1000*(p1-p0)/len(posts):.2f} ms each, worst wall {worst*1000:.0f} ms, work cpu {1000*(p2-p1)/600:.2f} ms each")
