SELECT outrigger.now_millis() AS now
