SELECT stored_id, stored_key, is_duplicate
FROM outrigger.enqueue(
    ARRAY[$1::text], ARRAY[$2::text], ARRAY[$3::text], ARRAY[$4::text], ARRAY[$5::text],
    ARRAY[$6::text], ARRAY[$7::text], ARRAY[$8::text], ARRAY[$9::text], ARRAY[$10::text],
    ARRAY[$11::bytea], ARRAY[$12::bytea], ARRAY[$13::text], ARRAY[$14::bigint],
    ARRAY[$15::bigint], ARRAY[$16::bigint], ARRAY[$17::bigint], ARRAY[$18::bigint],
    ARRAY[$19::text], ARRAY[$20::bigint], ARRAY[$21::text]
)
