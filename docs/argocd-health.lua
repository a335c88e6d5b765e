-- Argo CD's health of AvatarModel, AvatarRequest and AvatarRuntime, from the conditions that kstatus defines.
-- For argocd-cm: resource.customizations.health.avatars.dev_AvatarModel, ..._AvatarRequest and ..._AvatarRuntime.
local conditions = {}
local status = obj.status or {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local function health(word, condition)
  local message = condition.message
  if message == nil or message == "" then
    message = condition.reason
  end
  return { status = word, message = message }
end

if (status.observedGeneration or 0) < (obj.metadata.generation or 0) then
  return { status = "Progressing", message = "The operator has not looked yet." }
end
local stalled, reconciling, ready = conditions.Stalled, conditions.Reconciling, conditions.Ready
if stalled ~= nil and stalled.status == "True" then
  return health("Degraded", stalled)
end
if reconciling ~= nil and reconciling.status == "True" then
  return health("Progressing", reconciling)
end
if ready ~= nil and ready.status == "True" then
  return health("Healthy", ready)
end
if ready ~= nil and ready.reason == "Suspended" then
  return health("Suspended", ready)
end
return { status = "Progressing", message = "The operator has not looked yet." }
