printf "LATCHKEY_URL=%s\nLATCHKEY_IMAGE=%s\n" "$URL" "$IMAGE" >.env
docker compose pull && docker compose up --detach
