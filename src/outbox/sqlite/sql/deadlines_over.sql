WHERE state = 'ready' AND phase <> 'hook' AND deadline <= ?1
ORDER BY deadline LIMIT ?2
