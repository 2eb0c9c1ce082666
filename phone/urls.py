from django.urls import path

from phone.views import calling, hooks, own
from phone.views.settings import trying

app_name = "phone"
urlpatterns = [
    path("hooks/twilio/voice/", hooks.voice, name="twilio_voice"),
    path("hooks/twilio/recording/", hooks.recording, name="twilio_recording"),
    path("hooks/twilio/status/", hooks.status, name="twilio_status"),
    path("hooks/twilio/sms/", hooks.sms, name="twilio_sms"),
    path("desk/phone/<int:pk>/calling-back/", calling.call_back, name="call_back"),
    path("desk/settings/twilio/trying/", trying.try_twilio, name="try_twilio"),
    path("desk/settings/reach/", own.reach, name="reach"),
    path("desk/settings/reach/phone/", own.ask_phone, name="ask_phone"),
    path("desk/settings/reach/code/", own.confirm_phone, name="confirm_phone"),
    path("desk/settings/reach/telegram/", own.ask_telegram, name="ask_telegram"),
    path("desk/settings/reach/<slug:kind>/end/", own.unlink, name="unlink"),
]
