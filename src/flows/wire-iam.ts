import type { AuditLine, BoundRepository, Group, Identity, RoleBinding } from '../../client/src/index.js'
import { formatRepository } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { AuditRecord, GroupRecord, IdentityRecord, RepositoryRecord, RoleBindingRecord } from '../store/iam.js'

/** A group as the native API shows it. */
export function wireGroup({ uidp, name, description, isPublic, createdAt }: GroupRecord): Group {
  return { id: uidp, name, description, public: isPublic, createdAt: formatTime(createdAt) }
}

/** An identity as the native API shows it: without anything that it could be assumed with. */
export function wireIdentity(identity: IdentityRecord): Identity {
  const { uidp, group, name, description, kind, issuer, subject, repository, createdAt, expiresAt } = identity
  return {
    ...{ id: uidp, group, name, description, kind, issuer, subject, repository },
    createdAt: formatTime(createdAt),
    expiresAt: expiresAt === null ? null : formatTime(expiresAt),
  }
}

/** A role binding as the native API shows it. */
export function wireRoleBinding({ uidp, identity, role, scope, createdAt }: RoleBindingRecord): RoleBinding {
  return { id: uidp, identity, role, group: scope, createdAt: formatTime(createdAt) }
}

/** A bound repository as the native API shows it. */
export function wireRepository({ uidp, fullName, upstream, isPublic, createdAt }: RepositoryRecord): BoundRepository {
  return {
    ...{ id: uidp, name: fullName, upstream: formatRepository(upstream), public: isPublic },
    createdAt: formatTime(createdAt),
  }
}

/** A line of the audit log as the native API shows it. */
export function wireAuditLine(line: AuditRecord & { readonly id: number }): AuditLine {
  const { id, at, actor, action, target, outcome, reason, times } = line
  return { id, at: formatTime(at), actor, action, target, outcome, reason, times }
}
