import { AUDIENCE } from '../../harness/issuer.ts'
import { COUNTED } from './rate-limit-service.ts'

export interface EnvoyPlaces {
  readonly port: number
  readonly upstreamPort: number
  readonly issuer: string
  readonly jwks: object
  readonly authorizer: { readonly port: number; readonly protocol: 'http' | 'grpc' }
  readonly rateLimitPort: number
  /** One line of JSON for each call. */
  readonly logFile: string
}

const EXTENSIONS = 'type.googleapis.com/envoy.extensions'
const TIMEOUT = '5s'

/** What a team would have to switch on in Envoy for the same controls, each with the faster of its ways. */
export function envoyConfiguration(places: EnvoyPlaces): object {
  const { port, upstreamPort, authorizer, rateLimitPort } = places
  return {
    static_resources: {
      listeners: [
        {
          name: 'calls',
          address: addressOf(port),
          filter_chains: [
            { filters: [filter('envoy.filters.network.http_connection_manager', hcm(places))] },
          ],
        },
      ],
      clusters: [
        cluster('vendor', upstreamPort, 'http'),
        cluster('authorizer', authorizer.port, authorizer.protocol),
        cluster('ratelimit', rateLimitPort, 'grpc'),
      ],
    },
  }
}

function hcm(places: EnvoyPlaces): object {
  return {
    '@type': `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'calls',
    codec_type: 'HTTP1',
    access_log: [accessLog(places.logFile)],
    http_filters: [
      filter('envoy.filters.http.jwt_authn', jwtAuthn(places)),
      filter('envoy.filters.http.local_ratelimit', localRateLimit()),
      filter('envoy.filters.http.ratelimit', {
        '@type': `${EXTENSIONS}.filters.http.ratelimit.v3.RateLimit`,
        domain: 'bench',
        failure_mode_deny: true,
        timeout: TIMEOUT,
        rate_limit_service: { transport_api_version: 'V3', grpc_service: grpcTo('ratelimit') },
      }),
      filter('envoy.filters.http.ext_authz', extAuthz(places.authorizer)),
      filter('envoy.filters.http.router', { '@type': `${EXTENSIONS}.filters.http.router.v3.Router` }),
    ],
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: toVendor() }] },
      ],
    },
  }
}

function jwtAuthn({ issuer, jwks }: EnvoyPlaces): object {
  return {
    '@type': `${EXTENSIONS}.filters.http.jwt_authn.v3.JwtAuthentication`,
    providers: {
      issuer: {
        issuer,
        audiences: [AUDIENCE],
        forward: true,
        local_jwks: { inline_string: JSON.stringify(jwks) },
        // Off unless asked for, and it saves a signature for each call.
        jwt_cache_config: { jwt_cache_size: 1_000 },
        claim_to_headers: [
          { header_name: 'x-tenant', claim_name: 'tenant' },
          { header_name: 'x-agent', claim_name: 'client_id' },
          { header_name: 'x-principal', claim_name: 'sub' },
        ],
      },
    },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'issuer' } }],
  }
}

function extAuthz({ protocol, port }: EnvoyPlaces['authorizer']): object {
  const service =
    protocol === 'grpc'
      ? { grpc_service: grpcTo('authorizer'), transport_api_version: 'V3' }
      : {
          http_service: {
            server_uri: { uri: `http://127.0.0.1:${String(port)}`, cluster: 'authorizer', timeout: TIMEOUT },
            path_prefix: '/v1/data/calls',
          },
        }
  return {
    '@type': `${EXTENSIONS}.filters.http.ext_authz.v3.ExtAuthz`,
    ...service,
    failure_mode_allow: false,
    allowed_headers: { patterns: [{ exact: 'authorization' }] },
  }
}

function localRateLimit(): object {
  const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } }
  return {
    '@type': `${EXTENSIONS}.filters.http.local_ratelimit.v3.LocalRateLimit`,
    stat_prefix: 'local',
    token_bucket: { max_tokens: 4_000_000_000, tokens_per_fill: 4_000_000_000, fill_interval: '60s' },
    filter_enabled: { runtime_key: 'local_enabled', ...always },
    filter_enforced: { runtime_key: 'local_enforced', ...always },
  }
}

function toVendor(): object {
  const actions = COUNTED.map((headers) => ({
    actions: headers.map((header) => ({
      request_headers: { header_name: header, descriptor_key: header },
    })),
  }))
  return { cluster: 'vendor', timeout: '30s', rate_limits: actions }
}

function accessLog(path: string): object {
  const fields = {
    time: '%START_TIME%',
    agent: '%REQ(X-AGENT)%',
    path: '%REQ(:PATH)%',
    status: '%RESPONSE_CODE%',
  }
  return filter('envoy.access_loggers.file', {
    '@type': `${EXTENSIONS}.access_loggers.file.v3.FileAccessLog`,
    path,
    log_format: { json_format: { ...fields, ms: '%DURATION%', id: '%REQ(X-REQUEST-ID)%' } },
  })
}

function filter(name: string, config: object): object {
  return { name, typed_config: config }
}

function grpcTo(cluster: string): object {
  return { envoy_grpc: { cluster_name: cluster }, timeout: TIMEOUT }
}

function addressOf(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

function cluster(name: string, port: number, protocol: 'http' | 'grpc'): object {
  const options = `${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions`
  const http2 = { '@type': options, explicit_http_config: { http2_protocol_options: {} } }
  // Its own bound of 1,024 is enough for every load of the benches.
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf(port) } }] }],
    },
    ...(protocol === 'grpc'
      ? {
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': http2,
          },
        }
      : {}),
  }
}
