WHERE state = 'leased' AND lease_until <= ?1
ORDER BY lease_until LIMIT ?2
